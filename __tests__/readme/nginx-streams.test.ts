import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals'
import { CometStateManager, type InitializedCometClient } from 'koa-comet'
import { InProcCometStateProvider, InProcStorage } from 'koa-comet/providers/in-proc'
import { eventually } from '../support/eventually.ts'
import { countTo } from '../support/raw-page.ts'
import { RawStream } from '../support/raw-stream.ts'
import { type Served, serve } from '../support/serve.ts'
import { STREAMING } from '../support/streaming-exchange.ts'
import { TestPage } from '../support/test-page.ts'
import { block } from './blocks.ts'
import { describeBehindNginx, type Nginx, startNginx } from './nginx.ts'

/** As most have it: HTTP/1.0 to the app, buffered, and with a read timeout of 60 s. */
const BARE = 'location / { proxy_pass http://127.0.0.1:3000; }'

/** The same, deaf to what the app says of buffering: streams do not get through. */
const WITHHOLDING = 'location / { proxy_pass http://127.0.0.1:3000; proxy_ignore_headers X-Accel-Buffering; }'

const KEEP_ALIVE_SECONDS = 0.3

const storage = new InProcStorage()
let channel: CometStateManager
let app: Served
const streams: RawStream[] = []

function openChannel(): CometStateManager {
  const provider = new InProcCometStateProvider({ storage })
  return new CometStateManager(provider, { keepAliveSeconds: KEEP_ALIVE_SECONDS })
}

beforeAll(async () => {
  channel = openChannel()
  let [mounted, mountedFor] = [channel.mount('/comet'), channel]
  app = await serve((ctx, next) => {
    if (mountedFor !== channel) [mounted, mountedFor] = [channel.mount('/comet'), channel]
    return mounted(ctx, next)
  })
})

afterEach(async () => {
  for (const stream of streams.splice(0)) await stream.close()
  await eventually(() => channel.stats().heldRequests === 0)
})

afterAll(async () => {
  await channel?.close({ overSeconds: 0 })
  await app?.close()
})

let clients = 0

function newClient(): Promise<InitializedCometClient> {
  clients += 1
  return channel.initializeClient({ publicToken: `client-${clients}` })
}

async function open(
  url: string,
  { privateToken }: InitializedCometClient,
  cursor?: string,
): Promise<RawStream> {
  const stream = await RawStream.open(url, privateToken, { cursor })
  streams.push(stream)
  return stream
}

const hasBegun = ({ cursor }: RawStream): boolean => cursor !== undefined

describeBehindNginx.each([
  ['as the README shows it', block('proxy')],
  ['that only passes on', BARE],
])('Through nginx %s', (_, location) => {
  let nginx: Nginx
  let url: string

  beforeAll(async () => {
    nginx = await startNginx(location, app.port)
    url = `${nginx.origin}/comet`
  })

  afterAll(() => nginx?.close())

  test('the first event, and each message, come while the stream is open', async () => {
    const stream = await open(url, await newClient())
    await stream.until(hasBegun)
    expect(stream.blocks[0]?.data?.n).toBe('aspNetComet.opened')
    for (const index of countTo(20)) {
      await channel.sendMessage('M', index)
      await stream.until(({ contents }) => contents.at(-1) === index)
    }
    expect([stream.contents, stream.ending]).toEqual([countTo(20), undefined])
  })

  test('a message larger than its buffers comes while the stream is open', async () => {
    const stream = await open(url, await newClient())
    await stream.until(hasBegun)
    const large = 'x'.repeat(200_000)
    await channel.sendMessage('M', large)
    await stream.until(({ contents }) => contents.length === 1)
    expect([stream.contents[0] === large, stream.ending]).toEqual([true, undefined])
  })

  test('keep-alives come, with the position', async () => {
    const [client, other] = [await newClient(), await newClient()]
    const stream = await open(url, client)
    await stream.until(hasBegun)
    const mid = await channel.sendMessage('ForOther', 1, { to: other.publicToken })
    await stream.until(({ cursor }) => cursor === `${client.start.epoch}:${mid}`)
    const { length } = stream.blocks
    await stream.until(({ blocks }) => blocks.length >= length + 3)
    expect(stream.messages).toEqual([])
  })

  test('a page that leaves frees its stream on the server', async () => {
    const stream = await open(url, await newClient())
    await stream.until(hasBegun)
    expect(channel.stats().heldRequests).toBe(1)
    await stream.close()
    await eventually(() => channel.stats().heldRequests === 0)
  })

  test.each([
    ['reloaded', (each: Nginx) => each.reload()],
    ['ended and started again', (each: Nginx) => each.restart()],
  ])('a page goes on where it was when nginx is %s, and misses nothing', async (_, disturb) => {
    const client = await newClient()
    const stream = await open(url, client)
    await channel.sendMessage('M', 1)
    await stream.until(({ contents }) => contents.length === 1)
    await disturb(nginx)
    await channel.sendMessage('M', 2)
    await stream.until(({ ending }) => ending !== undefined)
    await channel.sendMessage('M', 3)
    const again = await open(url, client, stream.cursor)
    await again.until(({ contents }) => contents.at(-1) === 3)
    expect([...stream.contents, ...again.contents]).toEqual([1, 2, 3])
    expect(again.headers.get('comet-outcome')).toBe('resumed')
  })

  test('a channel that closes ends its streams, says so, and its pages go on at the next', async () => {
    const pages = await Promise.all(countTo(10).map(async () => new TestPage(STREAMING, await newClient())))
    await Promise.all(pages.map((page) => page.visit(url)))
    const ends = pages.map((page) => page.next(url))
    const leaving = channel
    const closing = leaving.close({ overSeconds: 0.5 })
    expect((await fetch(url, { headers: { Accept: 'text/event-stream', 'Comet-Token': 'x' } })).status).toBe(
      503,
    )
    const told = await Promise.all(ends)
    expect(told.map(({ isSentAway, messages }) => [isSentAway, messages[0]?.n])).toEqual(
      pages.map(() => [true, 'aspNetComet.timeout']),
    )
    await closing
    channel = openChannel()
    await channel.sendMessage('M', 'at the next')
    for (const page of pages) await page.next(url)
    expect(pages.map(({ contents, resets }) => [contents, resets])).toEqual(
      pages.map(() => [['at the next'], []]),
    )
    for (const page of pages) await page.drop()
  })
})

describeBehindNginx('Through nginx that withholds', () => {
  let nginx: Nginx

  beforeAll(async () => {
    nginx = await startNginx(WITHHOLDING, app.port)
  })

  afterAll(() => nginx?.close())

  test('nothing of a stream comes until its end: what the tests above would see if it were so there', async () => {
    const { privateToken } = await newClient()
    await channel.sendMessage('M', 1)
    const headers = { Prefer: 'wait=1' }
    const stream = await RawStream.open(`${nginx.origin}/comet`, privateToken, { headers })
    await stream.until(({ contents }) => contents.length === 1)
    expect(channel.stats().heldRequests).toBe(0)
  })
})
