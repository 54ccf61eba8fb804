import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { CometStateManager } from 'koa-comet'
import { InProcCometStateProvider } from 'koa-comet/providers/in-proc'
import { DEFAULTS } from '../../lib/options.ts'
import { eventually } from '../support/eventually.ts'
import { glance, poll } from '../support/page.ts'
import { type Served, serve } from '../support/serve.ts'
import { block } from './blocks.ts'
import { describeBehindNginx, type Nginx, startNginx } from './nginx.ts'

describeBehindNginx('Behind nginx as the README shows it', () => {
  let channel: CometStateManager
  let app: Served
  let nginx: Nginx
  let url: string
  const asked: Record<string, string | string[] | undefined>[] = []

  beforeAll(async () => {
    channel = new CometStateManager(new InProcCometStateProvider(), { register: () => ({}) })
    app = await serve((ctx, next) => {
      asked.push(ctx.headers)
      return next()
    }, channel.mount('/comet'))
    nginx = await startNginx(block('proxy'), app.port)
    url = `${nginx.origin}/comet`
  })

  afterAll(async () => {
    await nginx?.close()
    await channel?.close()
    await app?.close()
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
