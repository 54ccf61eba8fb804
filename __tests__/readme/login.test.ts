import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { Browser, Page } from 'playwright-core'
import { launchChromium, testInChromium } from '../support/chromium.ts'
import { type ConsumerFolder, consumerFolder } from '../support/consumer-folder.ts'
import { glance } from '../support/page.ts'
import { freePort, type RunningModule, startServer } from '../support/running-module.ts'
import { block } from './blocks.ts'

/** What an app has before the block. */
const BEFORE = `
import Router from '@koa/router'
import Koa from 'koa'
import bodyParser from 'koa-bodyparser'
import session from 'koa-session'
import { CometStateManager } from 'koa-comet'
import { InProcCometStateProvider } from 'koa-comet/providers/in-proc'

const app = new Koa()
app.silent = true
app.keys = ['a key of this test']
app.use(session(app)).use(bodyParser())
const router = new Router()
const isPassword = (name, password) => password === \`the word of \${name}\`
`

/** Its page, and the one to log in at. */
const PAGE = `
<!doctype html>
<button id="logout">Log out</button>
<script type="module">
import { CometChannel } from '/comet/client.js'
${block('login-page')}
channel.addEventListener('statechange', ({ detail }) => { document.title = detail.state })
</script>
`

const AFTER = `
router.get('/', (ctx) => Object.assign(ctx, { type: 'html', body: ${JSON.stringify(PAGE)} }))
router.get('/login.html', (ctx) => Object.assign(ctx, { type: 'html', body: '<title>Log in</title>' }))
app.use(router.routes()).use(channel.mount('/comet'))
`

const BOB = { name: 'bob', password: 'the word of bob' }

describe('The login of the README', () => {
  let folder: ConsumerFolder
  let server: RunningModule
  let url: string

  beforeAll(async () => {
    folder = await consumerFolder('@koa/router', 'koa', 'koa-bodyparser', 'koa-comet', 'koa-session')
  })

  beforeEach(async () => {
    const port = await freePort()
    await folder.write('login.js', `${BEFORE}${block('login')}${AFTER}app.listen(${port}, '127.0.0.1')\n`)
    server = await startServer([process.execPath, 'login.js'], folder.path, port)
    url = `${server.origin}/comet`
  })

  afterEach(async () => {
    await server.stop()
  })

  afterAll(async () => {
    await folder.remove()
  })

  function post(path: string, Cookie = '', body: object = {}): Promise<Response> {
    const headers = { 'Content-Type': 'application/json', Cookie }
    return fetch(server.origin + path, { method: 'POST', headers, body: JSON.stringify(body) })
  }

  async function logIn(): Promise<string> {
    const login = await post('/login', '', BOB)
    expect(login.status).toBe(204)
    return login.headers
      .getSetCookie()
      .map((each) => each.split(';')[0])
      .join('; ')
  }

  async function tokenOf(answer: Response): Promise<string> {
    return ((await answer.json()) as { privateToken: string }).privateToken
  }

  test('makes a client for who has the password, and binds it to the login', async () => {
    expect((await post('/login', '', { ...BOB, password: 'a guess' })).status).toBe(401)
    expect((await post('/token')).status).toBe(401)
    const Cookie = await logIn()
    const privateToken = await tokenOf(await post('/token', Cookie))
    expect((await glance(url, privateToken, { headers: { Cookie } })).status).toBe(200)
    const stranger = await glance(url, privateToken)
    expect(stranger.messages[0]).toMatchObject({ code: 'COMET_IDENTITY_IS_LOST' })
  })

  test('refuses the same person from a second place until the first has logged out', async () => {
    const first = await logIn()
    const privateToken = await tokenOf(await post('/token', first))
    const second = await logIn()
    expect((await post('/token', second)).status).toBe(409)
    expect((await post('/logout', first)).status).toBe(204)
    const stopped = await glance(url, privateToken, { headers: { Cookie: second } })
    expect(stopped.messages[0]).toMatchObject({ code: 'COMET_CLIENT_IS_STOPPED' })
    expect((await post('/token', second)).status).toBe(200)
  })

  test('lets nobody log out who is not logged in, and harms nobody by it', async () => {
    expect((await post('/logout')).status).toBe(204)
  })

  describe('in a browser', () => {
    let browser: Browser
    let page: Page
    let tokens = 0

    beforeAll(async () => {
      browser = await launchChromium()
    })

    beforeEach(async () => {
      tokens = 0
      page = await browser.newPage()
      page.on('request', (request) => {
        if (request.url().endsWith('/token')) tokens += 1
      })
    })

    afterEach(async () => {
      await page.close()
    })

    afterAll(async () => {
      await browser?.close()
    })

    const connected = () => page.waitForFunction(() => document.title === 'connected')

    async function enter(): Promise<void> {
      await page.goto(server.origin)
      await page.waitForURL('**/login.html')
      await page.evaluate(async (bob) => {
        const headers = { 'Content-Type': 'application/json' }
        await fetch('/login', { method: 'POST', headers, body: JSON.stringify(bob) })
      }, BOB)
      tokens = 0
      await page.goto(server.origin)
      await connected()
    }

    testInChromium(
      'sends who is not logged in to log in, and keeps the client over a reload',
      async () => {
        await enter()
        await page.reload()
        await connected()
        expect(tokens).toBe(1)
      },
      60_000,
    )

    testInChromium(
      'logs out, and the name is free at once',
      async () => {
        await enter()
        await page.getByRole('button', { name: 'Log out' }).click()
        await page.waitForURL('**/login.html')
        expect((await post('/token', await logIn())).status).toBe(200)
      },
      60_000,
    )
  })
})
