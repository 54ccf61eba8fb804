import { once } from 'node:events'
import { connect } from 'node:net'
import { afterEach, describe, expect, test } from '@jest/globals'
import Router from '@koa/router'
import type { Middleware } from 'koa'
import { type CometOptions, CometStateManager } from 'koa-comet'
import { CometChannel, type CometError } from 'koa-comet/client'
import { InProcCometStateProvider } from 'koa-comet/providers/in-proc'
import { launchChromium, testInChromium } from '../support/chromium.ts'
import { eventually } from '../support/eventually.ts'
import { glance } from '../support/page.ts'
import { type Served, serve } from '../support/serve.ts'
import { README } from './blocks.ts'

const REGISTERS: CometOptions = { register: () => ({}) }

const NOT_FOUND = 'Got 404 text/plain'
const OF_THE_APP = 'Got 200 text/html'

/** Every symptom is one that the page lists. */
function listed(symptom: string): string {
  expect(README).toContain(`\`${symptom}`)
  return symptom
}

describe('What the README says of a page that does not connect', () => {
  const served: Served[] = []
  const channels: CometStateManager[] = []

  afterEach(async () => {
    for (const channel of channels.splice(0)) await channel.close()
    for (const each of served.splice(0)) await each.close()
  })

  function channelWith(options: CometOptions = REGISTERS): CometStateManager {
    const channel = new CometStateManager(new InProcCometStateProvider(), options)
    channels.push(channel)
    return channel
  }

  async function site(...middleware: Middleware[]): Promise<string> {
    const each = await serve(...middleware)
    served.push(each)
    return each.origin
  }

  /** The first failure of a page, with its text. */
  async function failureAt(url: string): Promise<CometError> {
    const page = new CometChannel(url)
    const failure = new Promise<CometError>((resolve) => {
      page.addFailureHandler((_token, _alias, error) => resolve(error))
    })
    page.subscribe()
    const error = await failure
    await page.leave()
    return error
  }

  const catchAll: Middleware = (ctx) => {
    Object.assign(ctx, { type: 'html', body: '<!doctype html>' })
  }

  test('the path is another one', async () => {
    const origin = await site(channelWith().mount('/comet'))
    expect((await failureAt(`${origin}/live`)).message).toContain(listed(NOT_FOUND))
  })

  test('there is no option register', async () => {
    const origin = await site(channelWith({}).mount('/comet'))
    expect((await failureAt(`${origin}/comet`)).message).toContain(listed(NOT_FOUND))
  })

  test('router.use serves nothing, where router.all serves the channel', async () => {
    const used = new Router()
    used.use(channelWith().mount('/comet'))
    const failed = await failureAt(`${await site(used.routes() as unknown as Middleware)}/comet`)
    expect(failed.message).toContain(listed(NOT_FOUND))

    const [, pattern] = /`router\.all\('(\S+)', channel\.mount\('\/comet'\)\)`/.exec(README)!
    const all = new Router()
    all.all(pattern!, channelWith().mount('/comet'))
    const page = new CometChannel(`${await site(all.routes() as unknown as Middleware)}/comet`)
    const connected = new Promise<void>((resolve) => {
      page.addEventListener('statechange', ({ detail }) => detail.state === 'connected' && resolve())
    })
    page.on('News', () => {})
    page.subscribe()
    await connected
    await page.leave()
  })

  test('what answers everything comes before the channel', async () => {
    const origin = await site(catchAll, channelWith().mount('/comet'))
    expect((await failureAt(`${origin}/comet`)).message).toContain(listed(OF_THE_APP))
  })

  test('what answers everything hides the other causes', async () => {
    const origin = await site(channelWith({}).mount('/comet'), catchAll)
    expect((await failureAt(`${origin}/comet`)).message).toContain(listed(OF_THE_APP))
  })

  test('the server is away', async () => {
    const origin = await site(catchAll)
    await served.pop()!.close()
    expect((await failureAt(`${origin}/comet`)).code).toBe(listed('COMET_CONNECTION_FAILED'))
  })

  test('a proxy does not pass Host on', async () => {
    const channel = channelWith()
    const origin = await site(channel.mount('/comet'))
    const { privateToken } = await channel.initializeClient({ publicToken: 'bob' })
    // What the browser says of its page, and what the proxy makes of Host, differ.
    const headers = { Origin: 'http://app.example' }
    const { status, messages } = await glance(`${origin}/comet`, privateToken, { headers })
    expect(status).toBe(403)
    expect(messages[0]).toMatchObject({ code: 'COMET_ORIGIN_IS_REFUSED' })
    expect(README).toContain('403 `COMET_ORIGIN_IS_REFUSED` behind a proxy')
  })

  test('a page that went away is an error of Koa, which the app can leave out of its log', async () => {
    const [, handler] = /`app\.on\('error', (\(error\) => .*)\)`\.$/m.exec(README)!
    const channel = channelWith()
    const app = await serve(channel.mount('/comet'))
    served.push(app)
    const logged: unknown[] = []
    const koa = { onerror: (error: unknown) => logged.push(error) }
    const leaveOut = new Function('app', `return ${handler}`)(koa) as (error: unknown) => void
    const { privateToken } = await channel.initializeClient({ publicToken: 'bob' })
    const page = connect(app.port, '127.0.0.1')
    page.write(`GET /comet HTTP/1.1\r\nHost: 127.0.0.1\r\nComet-Token: ${privateToken}\r\n\r\n`)
    await eventually(() => channel.stats().heldRequests === 1)
    const told = once(app.app, 'error')
    page.resetAndDestroy()
    const [error] = await told
    expect(String(error)).toBe(listed('Error: read ECONNRESET'))
    leaveOut(error)
    expect(logged).toEqual([])
    const other = new Error('of the app')
    leaveOut(other)
    expect(logged).toEqual([other])
  })

  testInChromium(
    'the page is of another origin: its browser hides the refusal',
    async () => {
      const origin = await site(channelWith().mount('/comet'))
      const elsewhere = await site(channelWith().mount('/comet'), catchAll)
      const browser = await launchChromium()
      try {
        const page = await browser.newPage()
        await page.goto(elsewhere)
        const code = await page.evaluate(async (url) => {
          const script = '/comet/client.js'
          const { CometChannel } = await import(script)
          const channel = new CometChannel(url)
          return new Promise((resolve) => {
            channel.addFailureHandler((_token: string, _alias: string, error: CometError) =>
              resolve(error.code),
            )
            channel.subscribe()
          })
        }, `${origin}/comet`)
        expect(code).toBe(listed('COMET_CONNECTION_FAILED'))
      } finally {
        await browser.close()
      }
    },
    60_000,
  )
})
