import { afterEach, describe, expect, test } from '@jest/globals'
import { glance } from '../support/page.ts'
import { closeSites, openSite, type Site } from '../support/site.ts'

afterEach(closeSites)

type Fields = Readonly<Record<string, string | number>>

/** The two POST forms that behave like GET, each with what a request of it looks like. */
const FORMS: readonly (readonly [string, (fields: Fields) => RequestInit])[] = [
  [
    'as JSON',
    (fields) => ({ headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(fields) }),
  ],
  [
    'as a form with an epoch',
    ({ epoch = '', ...fields }) => ({
      body: new URLSearchParams({ ...(fields as Record<string, string>), epoch: String(epoch) }),
    }),
  ],
]

function post({ url }: Site, init: RequestInit, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(url, { ...init, method: 'POST', headers: { Prefer: 'wait=0', ...init.headers, ...headers } })
}

describe.each(FORMS)('a subscribe request by POST %s', (_, formOf) => {
  test('gets messages, a cursor and an outcome like GET', async () => {
    const site = await openSite()
    const { privateToken, start } = await site.newClient()
    const first = await site.channel.sendMessage('Count', 1)
    const second = await site.channel.sendMessage('Count', 2)
    const fields = { privateToken, lastMessageId: first, epoch: start.epoch }
    const response = await post(site, formOf(fields))
    expect(response.status).toBe(200)
    expect(response.headers.get('comet-outcome')).toBe('resumed')
    expect(response.headers.get('comet-cursor')).toBe(`${start.epoch}:${second}`)
    expect(await response.json()).toEqual([{ mid: second, n: 'Count', c: 2 }])
  })

  test('is told of another epoch by a reset', async () => {
    const site = await openSite()
    const { privateToken } = await site.newClient()
    const response = await post(site, formOf({ privateToken, lastMessageId: 5, epoch: 'another' }))
    expect(response.headers.get('comet-outcome')).toBe('reset')
    expect(await response.json()).toMatchObject([{ n: 'aspNetComet.reset', c: { reason: 'epoch' } }])
  })

  test('is refused with a truthful status', async () => {
    const site = await openSite()
    const refusals = [
      [401, 'COMET_TOKEN_IS_UNKNOWN', { privateToken: 'nobody-has-this', lastMessageId: 0, epoch: 'e' }],
      [400, 'COMET_PARAMETERS_ARE_INVALID', { privateToken: 'x', lastMessageId: 'abc', epoch: 'e' }],
      [401, 'COMET_TOKEN_IS_MISSING', { lastMessageId: 0, epoch: 'e' }],
    ] as const
    for (const [status, code, fields] of refusals) {
      const response = await post(site, formOf(fields))
      expect(response.status).toBe(status)
      expect(await response.json()).toMatchObject([{ code }])
    }
  })

  test('may bear its token and cursor in headers instead', async () => {
    const site = await openSite()
    const { privateToken } = await site.newClient()
    const { cursor } = await glance(site.url, privateToken)
    await site.channel.sendMessage('Count', 1)
    const headers = { 'Comet-Token': privateToken, 'Last-Event-ID': cursor! }
    const response = await post(site, formOf({ epoch: 'unused' }), headers)
    expect(await response.json()).toMatchObject([{ c: 1 }])
  })

  test('is held, and answered by the next message', async () => {
    const site = await openSite()
    const { privateToken } = await site.newClient()
    const answering = post(site, formOf({ privateToken, epoch: site.channel.stats().epoch }), { Prefer: '' })
    await site.holds(1)
    await site.channel.sendMessage('Count', 1)
    expect(await (await answering).json()).toMatchObject([{ c: 1 }])
  })
})

describe('a POST body', () => {
  test('with a token in a header is no AspNetComet form: its errors have their status', async () => {
    const site = await openSite()
    const headers = { Authorization: 'Bearer nobody-has-this' }
    const response = await post(site, { body: new URLSearchParams({ lastMessageId: '0' }) }, headers)
    expect(response.status).toBe(401)
  })

  test('that is neither a form nor JSON is refused with 415', async () => {
    const site = await openSite()
    for (const type of ['text/plain', 'multipart/form-data; boundary=x', 'application/xml', 'x']) {
      const response = await post(site, { body: 'privateToken=x', headers: { 'Content-Type': type } })
      expect(response.status).toBe(415)
      expect(await response.json()).toMatchObject([{ code: 'COMET_MEDIA_TYPE_IS_UNSUPPORTED' }])
    }
  })

  test.each([
    ['no JSON', '{"privateToken":'],
    ['a text', '"privateToken"'],
    ['a number', '7'],
    ['JSON with a byte order mark', '\ufeff{"privateToken":"x"}'],
    ['a poisoned prototype', '{"__proto__":{"privateToken":"x"}}'],
    ['a poisoned constructor', '{"constructor":{"prototype":{"privateToken":"x"}}}'],
    ['a token that is a list', '{"privateToken":["x"]}'],
    ['a token that is an object', '{"privateToken":{"toString":1}}'],
    ['a token that is a number', '{"privateToken":1}'],
    ['an id that is a list', '{"privateToken":"x","lastMessageId":[1]}'],
    ['an id that is null', '{"privateToken":"x","lastMessageId":null}'],
    ['an id with an exponent', '{"privateToken":"x","lastMessageId":1e300}'],
    ['an epoch that is an object', '{"privateToken":"x","lastMessageId":1,"epoch":{}}'],
  ])('of JSON that is %s is refused with a 4xx, and never with a stack', async (_, body) => {
    const site = await openSite()
    const response = await post(site, { body, headers: { 'Content-Type': 'application/json' } })
    expect([400, 401]).toContain(response.status)
    expect(await response.text()).toMatch(
      /^\[\{"mid":0,"n":"aspNetComet\.error","c":"[^"]+","code":"COMET_[A-Z_]+"\}\]$/,
    )
    expect(site.errors).toEqual([])
  })

  test('of JSON as deep as it may be is refused without harm', async () => {
    const site = await openSite()
    const body = `${'['.repeat(2000)}${']'.repeat(2000)}`
    const response = await post(site, { body, headers: { 'Content-Type': 'application/json' } })
    expect(response.status).toBe(401)
  })
})
