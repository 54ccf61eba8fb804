import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { CometStateManager } from 'koa-comet'
import { InProcCometStateProvider } from 'koa-comet/providers/in-proc'
import { DEFAULTS } from '../../lib/options.ts'
import { eventually } from '../support/eventually.ts'
import { glance, poll } from '../support/page.ts'
import { freePort, type RunningModule, startServer } from '../support/running-module.ts'
import { type Served, serve } from '../support/serve.ts'
import { block, replaced } from './blocks.ts'

const NGINX = process.env.NGINX_PATH ?? '/usr/sbin/nginx'

const BODIES = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']

/** `describe`, if there is an nginx. With CI=true there must be one. */
const describeBehindNginx =
  existsSync(NGINX) || process.env.CI === 'true' ? describe : describeWithout(`apt-get install nginx-light`)

describeBehindNginx('Behind nginx as the README shows it', () => {
  let folder: string
  let channel: CometStateManager
  let app: Served
  let nginx: RunningModule
  let url: string
  const asked: Record<string, string | string[] | undefined>[] = []

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'comet-nginx-'))
    channel = new CometStateManager(new InProcCometStateProvider(), { register: () => ({}) })
    app = await serve((ctx, next) => {
      asked.push(ctx.headers)
      return next()
    }, channel.mount('/comet'))
    const port = await freePort()
    const file = join(folder, 'nginx.conf')
    await writeFile(file, configuration(folder, port, app.port))
    nginx = await startServer([NGINX, '-p', folder, '-e', 'stderr', '-c', file], folder, port)
    url = `${nginx.origin}/comet`
  })

  afterAll(async () => {
    await nginx?.stop()
    await channel?.close()
    await app?.close()
    await rm(folder, { recursive: true })
  })

  test('a held poll is answered by a message', async () => {
    const { privateToken } = await channel.initializeClient({ publicToken: 'bob' })
    const held = poll(url, privateToken)
    await eventually(() => channel.stats().heldRequests === 1)
    const mid = await channel.sendMessage('News', 'through nginx')
    const { status, cursor, outcome, messages } = await held
    expect({ status, outcome, messages }).toEqual({
      status: 200,
      outcome: 'resumed',
      messages: [{ mid, n: 'News', c: 'through nginx' }],
    })
    expect(cursor).toBe(`${channel.stats().epoch}:${mid}`)
  })

  test('a held poll is answered by its timeout', async () => {
    const { privateToken } = await channel.initializeClient({
      publicToken: 'eve',
      connectionTimeoutSeconds: 1,
    })
    const { status, messages } = await poll(url, privateToken)
    expect(status).toBe(200)
    expect(messages.map(({ n }) => n)).toEqual(['aspNetComet.timeout'])
  })

  test('a poll may be held for as long as by default, and longer', () => {
    const [, seconds] = /proxy_read_timeout (\d+)s;/.exec(block('proxy'))!
    expect(Number(seconds)).toBeGreaterThanOrEqual(2 * DEFAULTS.connectionTimeoutSeconds)
  })

  test('a page that leaves frees its poll on the server', async () => {
    const { privateToken } = await channel.initializeClient({ publicToken: 'ann' })
    const page = new AbortController()
    const held = poll(url, privateToken, { signal: page.signal })
    await eventually(() => channel.stats().heldRequests === 1)
    page.abort()
    await expect(held).rejects.toThrow()
    await eventually(() => channel.stats().heldRequests === 0)
  })

  test('a page of the same origin is known by Host and its port, another is refused', async () => {
    const { privateToken } = await channel.initializeClient({ publicToken: 'sam' })
    const own = await glance(url, privateToken, { headers: { Origin: nginx.origin } })
    expect(own.status).toBe(200)
    const other = await glance(url, privateToken, { headers: { Origin: 'http://127.0.0.1:1' } })
    expect(other.messages[0]).toMatchObject({ code: 'COMET_ORIGIN_IS_REFUSED' })
  })

  test('the app is told the page’s address and scheme', async () => {
    await fetch(`${nginx.origin}/comet/client.js`, { method: 'POST' })
    expect(asked.at(-1)).toMatchObject({ 'x-forwarded-for': '127.0.0.1', 'x-forwarded-proto': 'http' })
  })
})

/** The block as it is, but for the app's port, in what it needs around it. nginx runs in the foreground, as one process. */
function configuration(folder: string, port: number, appPort: number): string {
  const temporary = BODIES.map((name) => `${name}_temp_path ${join(folder, name)};`).join('\n')
  return `
daemon off;
master_process off;
pid ${join(folder, 'nginx.pid')};
events {}
http {
  access_log off;
  ${temporary}
  server {
    listen 127.0.0.1:${port};
    ${replaced(block('proxy'), '127.0.0.1:3000', `127.0.0.1:${appPort}`)}
  }
}
`
}

/** Says so itself: jest prints nothing of a file that is skipped as a whole. */
function describeWithout(remedy: string): typeof describe.skip {
  process.stderr.write(`Skipped what needs nginx, since there is none at ${NGINX}: ${remedy}\n`)
  return describe.skip
}
