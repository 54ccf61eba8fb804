import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { RegisterAnswer } from '../../lib/wire.ts'
import { type ConsumerFolder, consumerFolder } from '../support/consumer-folder.ts'
import { glance } from '../support/page.ts'
import { freePort, type RunningModule, startServer } from '../support/running-module.ts'
import { block, replaced } from './blocks.ts'

/** What an app has before the blocks that go on from it. */
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

const MOUNTED = `
app.use(router.routes()).use(channel.mount('/comet'))
`

describe('The blocks of the README that go on from an app', () => {
  let folder: ConsumerFolder

  beforeAll(async () => {
    folder = await consumerFolder('@koa/router', 'koa', 'koa-bodyparser', 'koa-comet', 'koa-session')
  })

  afterAll(async () => {
    await folder.remove()
  })

  async function start(name: string, code: string): Promise<RunningModule> {
    const port = await freePort()
    await folder.write(`${name}.js`, `${BEFORE}${code}app.listen(${port}, '127.0.0.1')\n`)
    return startServer([process.execPath, `${name}.js`], folder.path, port)
  }

  test('a client is made after the app’s own login, bound to it, and known to the app’s own routes', async () => {
    const server = await start('login', `${block('login')}${MOUNTED}`)
    try {
      const post = (path: string, body: object, headers: Record<string, string> = {}) =>
        fetch(server.origin + path, {
          method: 'POST',
          headers: { 'Content-Type': 'application/json', ...headers },
          body: JSON.stringify(body),
        })
      const bob = { name: 'bob', password: 'the word of bob' }
      expect((await post('/login', { ...bob, password: 'a guess' })).status).toBe(401)
      const login = await post('/login', bob)
      const { privateToken } = (await login.json()) as { privateToken: string }
      const cookie = login.headers
        .getSetCookie()
        .map((each) => each.split(';')[0])
        .join('; ')
      expect((await post('/login', bob)).status).toBe(409)

      const url = `${server.origin}/comet`
      const stranger = await glance(url, privateToken)
      expect(stranger.messages[0]).toMatchObject({ code: 'COMET_IDENTITY_IS_LOST' })
      const headers = { Cookie: cookie, Authorization: `Bearer ${privateToken}` }
      const said = (await (await post('/say', { text: 'Good morning' }, headers)).json()) as { id: number }
      const { status, messages } = await glance(url, privateToken, { headers: { Cookie: cookie } })
      expect(status).toBe(200)
      expect(messages).toEqual([{ mid: said.id, n: 'ChatMessage', c: ['bob', 'Good morning'] }])
    } finally {
      await server.stop()
    }
  })

  test('several channels have clients of their own', async () => {
    const server = await start('channels', block('channels'))
    try {
      const registered = await fetch(`${server.origin}/news/register`, { method: 'POST' })
      const { privateToken } = (await registered.json()) as RegisterAnswer
      expect((await glance(`${server.origin}/news`, privateToken)).status).toBe(200)
      const elsewhere = await glance(`${server.origin}/chat`, privateToken)
      expect(elsewhere.messages[0]).toMatchObject({ code: 'COMET_TOKEN_IS_UNKNOWN' })
    } finally {
      await server.stop()
    }
  })

  test('an app is tested with CometChannel in Node', async () => {
    const app = replaced(block('server'), 'const server = app.listen(3000)\n', '')
    await folder.write('app.js', `${app}export { app, channel, clock }\n`)
    await folder.write('app.test.js', block('testing'))
    const { NODE_OPTIONS: _ours, ...env } = process.env
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--test', '--test-reporter=tap', 'app.test.js'],
      { cwd: folder.path, env },
    )
    expect(stdout).toContain('ok 1 - a page is told the time')
    expect(stdout).toContain('# pass 1\n')
  })
})
