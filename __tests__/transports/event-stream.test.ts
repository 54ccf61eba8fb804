import { afterEach, describe, expect, test } from '@jest/globals'
import { InProcCometStateProvider, InProcStorage } from 'koa-comet/providers/in-proc'
import { glance } from '../support/page.ts'
import { countTo } from '../support/raw-page.ts'
import { RawStream } from '../support/raw-stream.ts'
import { closeSites, openSite } from '../support/site.ts'

afterEach(closeSites)

const hasOpened = ({ blocks }: RawStream): boolean => blocks.length > 0

const got =
  (count: number) =>
  ({ messages }: RawStream): boolean =>
    messages.length >= count

describe('A subscribe request that accepts text/event-stream', () => {
  test('is answered at once by a head that nobody may cache or hold back', async () => {
    const { url, newClient } = await openSite()
    const { privateToken, start } = await newClient()
    const { status, headers } = await RawStream.open(url, privateToken)
    expect(status).toBe(200)
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
      'comet-cursor': `${start.epoch}:${start.messageId}`,
      'comet-outcome': 'resumed',
    })
  })

  test('is opened by a dated event, behind padding, that moves no cursor', async () => {
    const { url, newClient } = await openSite({ options: { keepAliveSeconds: 7 } })
    const { privateToken, start } = await newClient()
    const stream = await (await RawStream.open(url, privateToken)).until(hasOpened)
    const [opened] = stream.blocks
    expect(opened?.comment?.length).toBeGreaterThanOrEqual(2048)
    expect(opened?.data).toEqual({
      mid: start.messageId,
      n: 'aspNetComet.opened',
      c: { date: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/), keepAliveSeconds: 7 },
    })
    expect(opened?.retryMs).toBeGreaterThanOrEqual(3000)
    expect(opened?.id).toBeUndefined()
  })

  test('goes on bringing messages, each under its id', async () => {
    const { channel, url, newClient } = await openSite()
    const { privateToken } = await newClient()
    const first = await channel.sendMessage('Count', 1)
    const stream = await (await RawStream.open(url, privateToken)).until(got(1))
    const second = await channel.sendMessage('Count', { text: 'line\nfeed\r\0 \u2028' })
    await stream.until(got(2))
    expect(stream.messages).toEqual([
      { mid: first, n: 'Count', c: 1 },
      { mid: second, n: 'Count', c: { text: 'line\nfeed\r\0 \u2028' } },
    ])
    const { epoch } = channel.cursor()
    const ids = stream.blocks.flatMap(({ id, data }) => (data?.n === 'Count' ? id : []))
    expect(ids).toEqual([`${epoch}:${first}`, `${epoch}:${second}`])
    expect(channel.stats().heldRequests).toBe(1)
  })

  test('takes over where another transport, or a stream on another node, stopped', async () => {
    const storage = new InProcStorage()
    const [one, other] = [
      await openSite({ provider: new InProcCometStateProvider({ storage }) }),
      await openSite({ provider: new InProcCometStateProvider({ storage }) }),
    ]
    const { privateToken } = await one.newClient()
    await one.channel.sendMessage('Count', 1)
    const polled = await glance(one.url, privateToken)
    await one.channel.sendMessage('Count', 2)
    const stream = await (await RawStream.open(other.url, privateToken, { cursor: polled.cursor! })).until(
      got(1),
    )
    expect([stream.headers.get('comet-outcome'), stream.contents]).toEqual(['resumed', [2]])
    await stream.close()
    await other.channel.sendMessage('Count', 3)
    const again = await glance(one.url, privateToken, { cursor: stream.cursor })
    expect([again.outcome, again.messages]).toMatchObject(['resumed', [{ c: 3 }]])
  })

  test('is told first, before any position, that something may be missing', async () => {
    const { channel, url, newClient } = await openSite({ options: { retention: { messages: 2 } } })
    const { privateToken, start } = await newClient()
    const ids = []
    for (const index of countTo(5)) ids.push(await channel.sendMessage('Count', index))
    const cursor = `${start.epoch}:${start.messageId}`
    const stream = await (await RawStream.open(url, privateToken, { cursor })).until(got(2))
    const reset = { reason: 'trimmed', epoch: start.epoch, messageId: ids[2] }
    expect(stream.headers.get('comet-outcome')).toBe('reset')
    expect(stream.headers.get('comet-cursor')).toBe(`${start.epoch}:${ids[2]}`)
    expect(stream.blocks.slice(1).map(({ id, data }) => [id, data?.n, data?.c])).toEqual([
      [`${start.epoch}:${ids[2]}`, 'aspNetComet.reset', reset],
      [`${start.epoch}:${ids[3]}`, 'Count', 4],
      [`${start.epoch}:${ids[4]}`, 'Count', 5],
    ])
  })

  test('that prefers not to wait is given what there is, and ended', async () => {
    const { channel, url, newClient } = await openSite()
    const { privateToken } = await newClient()
    await channel.sendMessage('Count', 1)
    const headers = { Prefer: 'wait=0' }
    const stream = await RawStream.open(url, privateToken, { headers })
    await stream.until(({ ending }) => ending === 'ended')
    expect(stream.contents).toEqual([1])
    const { epoch, messageId } = channel.cursor()
    expect(stream.blocks.slice(-2)).toEqual([
      { id: `${epoch}:${messageId}` },
      { retryMs: expect.any(Number) },
    ])
  })

  test('is refused by a truthful status before it begins', async () => {
    const { channel, url, newClient } = await openSite({ options: { maxHeldRequests: 1 } })
    const { publicToken, privateToken } = await newClient()
    const statusOf = async (token: string | undefined): Promise<number> =>
      (await RawStream.open(url, token)).status
    expect([await statusOf(undefined), await statusOf('a'.repeat(43))]).toEqual([401, 401])
    await RawStream.open(url, (await newClient()).privateToken)
    expect(await statusOf(privateToken)).toBe(503)
    await channel.stopClient(publicToken)
    expect(await statusOf(privateToken)).toBe(403)
  })

  test('is refused with 406 where the channel has long polling alone, and the other way round', async () => {
    const polls = await openSite({ options: { transports: ['long-polling'] } })
    const { privateToken } = await polls.newClient()
    expect((await RawStream.open(polls.url, privateToken)).status).toBe(406)
    const streams = await openSite({ options: { transports: ['streaming'] } })
    const client = await streams.newClient()
    expect(
      (await glance(streams.url, client.privateToken, { headers: { Accept: 'application/json' } })).status,
    ).toBe(406)
    expect((await RawStream.open(streams.url, client.privateToken)).status).toBe(200)
  })

  test('is given what ends by itself if it takes anything', async () => {
    const { url, newClient } = await openSite()
    const { privateToken } = await newClient()
    const headers = { Accept: '*/*', Prefer: 'wait=0' }
    expect((await RawStream.open(url, privateToken, { headers })).headers.get('content-type')).toMatch(/json/)
  })
})

describe('An open stream', () => {
  test('is told that its client was stopped, and ended', async () => {
    const { channel, url, newClient } = await openSite()
    const { publicToken, privateToken } = await newClient()
    const stream = await (await RawStream.open(url, privateToken)).until(hasOpened)
    const last = channel.sendMessage('Last', 1)
    await channel.stopClient(publicToken)
    await stream.until(({ ending }) => ending === 'ended')
    expect(stream.told.slice(1)).toMatchObject([
      { mid: await last, n: 'Last' },
      { n: 'aspNetComet.error', code: 'COMET_CLIENT_IS_STOPPED' },
    ])
    // Whoever comes again is told by the status, and stays away.
    expect(stream.blocks.at(-1)?.retryMs).toBeUndefined()
  })

  test('ends when another page takes its client over, and that page goes on', async () => {
    const { channel, url, newClient, holds } = await openSite()
    const { privateToken } = await newClient()
    const as = (page: string) => ({ headers: { 'Comet-Page': page } })
    const older = await (await RawStream.open(url, privateToken, as('page-1;new'))).until(hasOpened)
    const newer = await (await RawStream.open(url, privateToken, as('page-2;new'))).until(hasOpened)
    await older.until(({ ending }) => ending === 'ended')
    expect(older.told.at(-1)).toMatchObject({ n: 'aspNetComet.replaced', c: null })
    expect(older.blocks.at(-1)?.retryMs).toBeUndefined()
    const late = await RawStream.open(url, privateToken, {
      ...as('page-1'),
      cursor: newer.headers.get('comet-cursor')!,
    })
    // The one status that a native EventSource takes as an end.
    expect(late.status).toBe(204)
    await holds(1)
    await channel.sendMessage('Count', 1)
    await newer.until(got(1))
  })

  test.each(['text/event-stream', 'application/json'])(
    'ends when its own page asks anew for %s, and is not told to stay away',
    async (accept) => {
      const { url, newClient, holds } = await openSite()
      const { privateToken } = await newClient()
      const page = { 'Comet-Page': 'page-1' }
      const older = await (await RawStream.open(url, privateToken, { headers: page })).until(hasOpened)
      void RawStream.open(url, privateToken, { headers: { ...page, Accept: accept } }).catch(() => {})
      await older.until(({ ending }) => ending === 'ended')
      expect(older.told.at(-1)).toMatchObject({ n: 'aspNetComet.replaced', c: 'own' })
      expect(Object.keys(older.blocks.at(-1)!)).toEqual(['retryMs'])
      await holds(1)
    },
  )

  test('whose page has gone is held no longer', async () => {
    const { url, newClient, holds } = await openSite()
    const { privateToken } = await newClient()
    const stream = await (await RawStream.open(url, privateToken)).until(hasOpened)
    await holds(1)
    await stream.close()
    await holds(0)
  })

  test('is written what one turn brings in one piece, and a backlog in several', async () => {
    const { channel, url, newClient } = await openSite()
    const { privateToken } = await newClient()
    const stream = await (await RawStream.open(url, privateToken)).until(hasOpened)
    await Promise.all(countTo(100).map((index) => channel.sendMessage('Count', index)))
    await stream.until(got(100))
    expect(stream.contents).toEqual(countTo(100))
    await stream.close()
    const large = 'x'.repeat(20_000)
    for (const index of countTo(20)) await channel.sendMessage('Large', { index, large })
    const backlog = await (await RawStream.open(url, privateToken, { cursor: stream.cursor })).until(got(20))
    expect(backlog.contents.map((c) => (c as { index: number }).index)).toEqual(countTo(20))
  })
})

describe('A probe', () => {
  const PROBE = { 'Comet-Probe': '1' }

  test('sees the beginning of a stream, and takes nothing from the page that has the client', async () => {
    const { channel, url, newClient, holds } = await openSite()
    const { privateToken } = await newClient()
    const page = await (
      await RawStream.open(url, privateToken, { headers: { 'Comet-Page': 'page-1;new' } })
    ).until(hasOpened)
    await channel.sendMessage('Count', 1)
    const probe = await (
      await RawStream.open(url, privateToken, { headers: { ...PROBE, 'Comet-Page': 'page-2;new' } })
    ).until(hasOpened)
    expect(probe.told).toMatchObject([{ n: 'aspNetComet.opened' }])
    await holds(2)
    await channel.sendMessage('Count', 2)
    await page.until(got(2))
    expect([probe.messages, page.ending]).toEqual([[], undefined])
    await probe.close()
    await holds(1)
  })

  test('ends the one before of its client: those of one do not take the room of others', async () => {
    const { url, newClient, holds } = await openSite({ options: { maxHeldRequests: 2 } })
    const [one, other] = [await newClient(), await newClient()]
    const probes: RawStream[] = []
    for (let count = 0; count < 4; count += 1) {
      probes.push(await RawStream.open(url, one.privateToken, { headers: PROBE }))
      expect(probes.at(-1)?.status).toBe(200)
    }
    for (const older of probes.slice(0, -1)) {
      await older.until(({ ending }) => ending === 'ended')
      expect(Object.keys(older.blocks.at(-1)!)).toEqual(['retryMs'])
    }
    await holds(1)
    expect((await RawStream.open(url, other.privateToken)).status).toBe(200)
    expect(probes.at(-1)?.ending).toBeUndefined()
  })

  test('is refused as a stream would be', async () => {
    const { url, newClient } = await openSite({ options: { maxHeldRequests: 1 } })
    const { privateToken } = await newClient()
    expect((await RawStream.open(url, 'a'.repeat(43), { headers: PROBE })).status).toBe(401)
    await RawStream.open(url, privateToken)
    expect((await RawStream.open(url, privateToken, { headers: PROBE })).status).toBe(503)
  })
})
