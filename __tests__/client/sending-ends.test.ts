import { describe, expect, test } from '@jest/globals'
import {
  connect,
  connectRegistered,
  expectNoRequest,
  nextGroups,
  nextSent,
  openPage,
  outcome,
  type Page,
  TOKEN,
  theServer,
  useServer,
  withoutJitter,
} from './harness.ts'
import type { Received } from './scripted-server.ts'

useServer()

/** A page that polls, and has sent three things: the first is on its way. */
async function openSending(): Promise<{ page: Page; poll: Received; sent: Promise<unknown>[] }> {
  const page = openPage(null)
  page.channel.subscribe()
  const poll = await connectRegistered()
  const { channel } = page
  const sent = [channel.send('Say', 1), channel.joinGroup('room'), channel.send('Say', 2)].map(outcome)
  return { page, poll, sent }
}

const ENDS: [string, string, (page: Page, poll: Received) => unknown][] = [
  [
    'is taken over from by another',
    'COMET_REPLACED',
    (_page, poll) => poll.messages('e1:10', [{ mid: 10, n: 'aspNetComet.replaced', c: null }]),
  ],
  ['is stopped', 'COMET_CLIENT_IS_STOPPED', (_page, poll) => poll.error(403, 'COMET_CLIENT_IS_STOPPED')],
  ['leaves', 'COMET_LEFT', ({ channel }) => void channel.leave()],
]

describe.each(ENDS)('when its page %s, what is not answered yet', (_what, code, end) => {
  test(`is rejected at once with ${code}, in flight or not, and its request is ended`, async () => {
    const { page, poll, sent } = await openSending()
    const { request } = await nextSent()
    end(page, poll)
    expect(await Promise.all(sent)).toEqual([code, code, code])
    await request.closed()
    expect(page.channel.state).toBe('disconnected')
  })

  test(`and what is sent from then on, too, until subscribe()`, async () => {
    const { page, poll, sent } = await openSending()
    ;(await nextSent()).request.drop()
    end(page, poll)
    await Promise.all(sent)
    expect(await outcome(page.channel.send('Say', 3))).toBe(code)
    expect(await outcome(page.channel.joinGroup('other'))).toBe(code)
    expect(await outcome(page.channel.getClients('room'))).toBe(code)
    page.channel.subscribe()
    const later = page.channel.send('Say', 4)
    for (;;) {
      const request = await theServer().next()
      if (request.url === '/comet/register') request.registered()
      if (request.url !== '/comet/send') continue
      expect(JSON.parse(request.body)).toMatchObject({ c: 4 })
      request.json({ c: 'done' })
      break
    }
    expect(await later).toBe('done')
  })
})

describe('what is sent by a channel', () => {
  test('is rejected at the abort of its signal, and for good', async () => {
    const controller = new AbortController()
    const page = openPage(TOKEN, { signal: controller.signal })
    const sent = outcome(page.channel.send('Say', 1))
    const { request } = await nextSent()
    controller.abort()
    expect(await sent).toBe('COMET_LEFT')
    await request.closed()
    page.channel.subscribe()
    expect(await outcome(page.channel.send('Say', 2))).toBe('COMET_LEFT')
    await expectNoRequest()
  })

  test('whose signal had aborted before, is rejected', async () => {
    const page = openPage(TOKEN, { signal: AbortSignal.abort() })
    expect(await outcome(page.channel.send('Say', 1))).toBe('COMET_LEFT')
    await expectNoRequest()
  })

  test('that the server refuses to register, is rejected with that code', async () => {
    const { channel } = openPage(null)
    const sent = outcome(channel.send('Say', 1))
    channel.subscribe()
    ;(await theServer().next()).error(403, 'COMET_REGISTRATION_IS_REFUSED')
    expect(await sent).toBe('COMET_REGISTRATION_IS_REFUSED')
    await expectNoRequest()
  })

  test('whose token, given as text, its poll finds dead, is rejected with that code', async () => {
    const { channel } = openPage(TOKEN)
    channel.subscribe()
    const poll = await connect()
    const sent = [channel.send('Say', 1), channel.send('Say', 2)].map(outcome)
    await nextSent()
    poll.error(401, 'COMET_TOKEN_IS_UNKNOWN')
    expect(await Promise.all(sent)).toEqual(['COMET_TOKEN_IS_UNKNOWN', 'COMET_TOKEN_IS_UNKNOWN'])
  })

  test('goes on when only its subscribing is refused', async () => {
    const { channel, until } = openPage(TOKEN)
    channel.subscribe()
    ;(await theServer().next()).error(403, 'COMET_ACCESS_IS_DENIED')
    await until('failure:COMET_ACCESS_IS_DENIED:false')
    const sent = channel.send('Say', 1)
    ;(await nextSent()).request.json({ c: 'done' })
    expect(await sent).toBe('done')
  })
})

describe('two tabs of one client', () => {
  test('each send what they have, in their own order, with keys of their own', async () => {
    withoutJitter()
    const tabs = [openPage(TOKEN).channel, openPage(TOKEN).channel]
    const sent = tabs.flatMap((tab, index) => [tab.send('Say', `${index}a`), tab.send('Say', `${index}b`)])
    const [first, second] = [await nextSent(), await nextSent()]
    expect([first.c, second.c].sort()).toEqual(['0a', '1a'])
    expect(first.key).not.toBe(second.key)
    first.request.drop()
    const again = await nextSent()
    expect(again.key).toBe(first.key)
    again.request.json({ c: again.c })
    const next = await nextSent()
    expect(next.c).toBe(`${`${first.c}`[0]}b`)
    next.request.json({ c: next.c })
    second.request.json({ c: second.c })
    const last = await nextSent()
    last.request.json({ c: last.c })
    expect(await Promise.all(sent)).toEqual(['0a', '0b', '1a', '1b'])
  })

  test('the one that is taken over from sends no more, the other does', async () => {
    const older = openPage(TOKEN)
    older.channel.subscribe()
    const poll = await connect()
    const newer = openPage(TOKEN)
    newer.channel.subscribe()
    await connect()
    const sent = [older, newer].map(({ channel }) => outcome(channel.joinGroup('room')))
    const requests = [await nextGroups(), await nextGroups()]
    poll.messages('e1:10', [{ mid: 10, n: 'aspNetComet.replaced', c: null }])
    expect(await sent[0]).toBe('COMET_REPLACED')
    for (const { request } of requests) if (request.isOpen) request.json({ groups: ['room'] })
    expect(await sent[1]).toBeUndefined()
  })
})
