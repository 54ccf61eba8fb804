import { afterEach, describe, expect, test } from '@jest/globals'
import { glance, type PollAnswer, poll } from '../support/page.ts'
import { closeSites, openSite, type Site } from '../support/site.ts'

afterEach(closeSites)

/** What every answer of the subscribe address has, whatever it says. */
function expectCommonHeaders({ headers }: { readonly headers: Headers }): void {
  expect(headers.get('cache-control')).toBe('no-store')
  expect(headers.get('x-content-type-options')).toBe('nosniff')
  expect(headers.get('content-type')).toBe('application/json; charset=utf-8')
  expect(headers.get('transfer-encoding')).toBeNull()
  expect(Number(headers.get('content-length'))).toBeGreaterThan(2)
}

function expectAnswer(answer: PollAnswer, { channel }: Site, outcome = 'resumed'): void {
  expect(answer.status).toBe(200)
  expectCommonHeaders(answer)
  expect(answer.outcome).toBe(outcome)
  expect(answer.cursor).toMatch(new RegExp(`^${channel.stats().epoch}:\\d+$`))
}

describe('an answer of a long poll', () => {
  test('that had messages waiting has its cursor, its outcome, and nothing that may be cached or sniffed', async () => {
    const site = await openSite()
    const { privateToken } = await site.newClient()
    const id = await site.channel.sendMessage('News', { text: 'ä😀\u2028' })
    const answer = await poll(site.url, privateToken)
    expectAnswer(answer, site)
    expect(answer.messages).toEqual([{ mid: id, n: 'News', c: { text: 'ä😀\u2028' } }])
    expect(answer.cursor).toBe(`${site.channel.stats().epoch}:${id}`)
  })

  test('that was held for a message has the same headers', async () => {
    const site = await openSite()
    const { privateToken } = await site.newClient()
    const polling = poll(site.url, privateToken)
    await site.holds(1)
    const id = await site.channel.sendMessage('News', 'ö')
    const answer = await polling
    expectAnswer(answer, site)
    expect(answer.messages).toEqual([{ mid: id, n: 'News', c: 'ö' }])
    expect(answer.headers.get('content-length')).toBe(
      String(Buffer.byteLength(`[{"mid":${id},"n":"News","c":"ö"}]`)),
    )
  })

  test('without a message is one timeout control that moves the cursor', async () => {
    const site = await openSite()
    const { privateToken, start } = await site.newClient()
    const other = await site.newClient()
    const id = await site.channel.sendMessage('Private', 1, { to: other.publicToken })
    const answer = await glance(site.url, privateToken)
    expectAnswer(answer, site)
    expect(id).toBeGreaterThan(start.messageId)
    expect(answer.messages).toEqual([{ mid: id, n: 'aspNetComet.timeout', c: null }])
    expect(answer.cursor).toBe(`${start.epoch}:${id}`)
  })

  test('to a page whose log was trimmed begins with a reset and has the outcome reset', async () => {
    const site = await openSite({ options: { retention: { messages: 2 } } })
    const { privateToken, start } = await site.newClient()
    const ids = []
    for (const n of [1, 2, 3, 4]) ids.push(await site.channel.sendMessage('Count', n))
    const answer = await poll(site.url, privateToken)
    expectAnswer(answer, site, 'reset')
    const [reset, ...kept] = answer.messages
    expect(reset).toEqual({
      mid: ids[1],
      n: 'aspNetComet.reset',
      c: { reason: 'trimmed', epoch: start.epoch, messageId: ids[1] },
    })
    expect(kept.map(({ c }) => c)).toEqual([3, 4])
  })

  test('that is an error has a truthful status, a code, no cursor, and the common headers', async () => {
    const { url } = await openSite()
    const answer = await poll(url, 'nobody-has-this-token-0000')
    expect(answer.status).toBe(401)
    expectCommonHeaders(answer)
    expect(answer.headers.get('www-authenticate')).toBe('Bearer')
    expect(answer.cursor).toBeNull()
    expect(answer.outcome).toBeNull()
    expect(answer.messages).toEqual([
      { mid: 0, n: 'aspNetComet.error', c: 'CometClient does not exist.', code: 'COMET_TOKEN_IS_UNKNOWN' },
    ])
  })

  test('of a closing channel asks the page to come back elsewhere, and closes the connection', async () => {
    const site = await openSite()
    const { privateToken } = await site.newClient()
    const polling = poll(site.url, privateToken)
    await site.holds(1)
    await site.channel.close({ overSeconds: 3 })
    const answer = await polling
    expectAnswer(answer, site)
    expect(answer.messages).toMatchObject([{ n: 'aspNetComet.timeout', c: null }])
    expect(answer.headers.get('connection')).toBe('close')
    expect(['1', '2', '3']).toContain(answer.headers.get('retry-after'))
    const refused = await poll(site.url, privateToken)
    expect(refused.status).toBe(503)
    expect(refused.messages).toMatchObject([{ code: 'COMET_CHANNEL_IS_CLOSED' }])
    expect(refused.headers.get('connection')).toBe('close')
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
  })
})

describe('the messages of an answer', () => {
  test('have ascending ids, also where several addresses meet', async () => {
    const site = await openSite()
    const { publicToken, privateToken } = await site.newClient()
    const sent = []
    for (let n = 0; n < 30; n += 1) {
      sent.push(await site.channel.sendMessage('Count', n, n % 3 === 0 ? { to: publicToken } : {}))
    }
    const { messages } = await poll(site.url, privateToken)
    expect(messages.map(({ mid }) => mid)).toEqual(sent)
    expect(sent).toEqual([...sent].sort((a, b) => a - b))
  })

  test('are cut at maxAnswerBytes, and what is left comes with the next polls, each message once', async () => {
    const site = await openSite({ options: { maxAnswerBytes: 1000 } })
    const { privateToken } = await site.newClient()
    const sent = []
    for (let n = 0; n < 20; n += 1) sent.push(await site.channel.sendMessage('Bulk', 'x'.repeat(300)))
    const got = []
    let cursor: string | undefined
    let polls = 0
    while (got.length < sent.length) {
      const answer = await glance(site.url, privateToken, { cursor })
      expect(Number(answer.headers.get('content-length'))).toBeLessThanOrEqual(1000)
      expect(answer.messages.at(-1)?.mid).toBe(Number(answer.cursor?.split(':')[1]))
      got.push(...answer.messages.map(({ mid }) => mid))
      cursor = answer.cursor ?? undefined
      polls += 1
    }
    expect(got).toEqual(sent)
    expect(polls).toBe(10)
  })

  test('are cut there also where names take most of it, of characters of three bytes', async () => {
    const site = await openSite({ options: { maxAnswerBytes: 10_000 } })
    const { privateToken } = await site.newClient()
    const name = '漢'.repeat(128)
    await Promise.all(Array.from({ length: 50 }, () => site.channel.sendMessage(name)))
    const { messages } = await glance(site.url, privateToken)
    expect(messages.length).toBeGreaterThan(10)
    expect(Buffer.byteLength(JSON.stringify(messages))).toBeLessThan(12_000)
  })

  test('are never fewer than one: a message above maxAnswerBytes goes alone', async () => {
    const site = await openSite({ options: { maxAnswerBytes: 100 } })
    const { privateToken } = await site.newClient()
    const sent = []
    for (const length of [5000, 1, 5000]) {
      sent.push(await site.channel.sendMessage('Big', 'x'.repeat(length)))
    }
    let cursor: string | undefined
    for (const id of sent) {
      const answer = await glance(site.url, privateToken, { cursor })
      expect(answer.messages.map(({ mid }) => mid)).toEqual([id])
      cursor = answer.cursor ?? undefined
    }
  })

  test('keep the app’s JSON as it is, prototype words and all', async () => {
    const site = await openSite()
    const { privateToken } = await site.newClient()
    const contents = JSON.parse('{"__proto__":{"polluted":true},"constructor":1,"n":-0.5e-7,"nul":"\\u0000"}')
    await site.channel.sendMessage('"quoted" \n', contents)
    const response = await fetch(site.url, { headers: { 'Comet-Token': privateToken } })
    const [message] = (await response.json()) as { n: string; c: object }[]
    expect(message!.n).toBe('"quoted" \n')
    expect(JSON.stringify(message!.c)).toBe(JSON.stringify(contents))
  })
})
