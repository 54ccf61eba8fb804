import { afterEach, describe, expect, test } from '@jest/globals'
import { rawExchange } from '../handlers/raw-connection.ts'
import { eventually } from '../support/eventually.ts'
import { closeSites, openSite, type Site } from '../support/site.ts'
import { AspNetCometPage } from './asp-net-comet-page.ts'

afterEach(closeSites)

/** What that client needs: 200, an array, and in it one error with a text for its failure handlers. */
async function expectErrorArray(response: Response, code: string): Promise<string> {
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8')
  const messages = (await response.json()) as { c: string }[]
  expect(messages).toEqual([{ mid: 0, n: 'aspNetComet.error', c: expect.any(String), code }])
  return messages[0]!.c
}

function post({ url }: Site, body: BodyInit, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers },
    body,
  })
}

describe('a page of 2008 is told once, and asks no more,', () => {
  test('that its token is unknown, in the words of 2008', async () => {
    const { url } = await openSite()
    const page = new AspNetCometPage(url, 'a-token-that-nobody-has').subscribe()
    await page.ends()
    expect(page.end).toBe('failed')
    expect(page.failures).toEqual(['CometClient does not exist.'])
    expect(page.requests).toHaveLength(1)
  })

  test('that it was removed while it waited', async () => {
    const site = await openSite()
    const { privateToken } = await site.newClient()
    const page = new AspNetCometPage(site.url, privateToken).subscribe()
    await site.holds(1)
    await site.channel.killIdleCometClient(privateToken)
    await page.ends()
    expect(page.failures).toEqual(['CometClient does not exist.'])
    expect(page.requests).toHaveLength(1)
  })

  test('that it was stopped, after all that it was sent before', async () => {
    const site = await openSite()
    const { publicToken, privateToken } = await site.newClient()
    const page = new AspNetCometPage(site.url, privateToken).subscribe()
    await site.holds(1)
    await Promise.all([site.channel.sendMessage('Last', 1), site.channel.stopClient(publicToken)])
    await page.ends()
    expect(page.received.map(({ n }) => n)).toEqual(['Last'])
    expect(page.failures).toEqual([expect.stringContaining('stopped')])
  })

  test('that its login is lost or another', async () => {
    let user: string | null = 'ann'
    const site = await openSite({ options: { identify: () => user, connectionTimeoutSeconds: 0.01 } })
    const { privateToken } = await site.newClient({ userId: 'ann' })
    const page = new AspNetCometPage(site.url, privateToken).subscribe()
    await eventually(() => page.timeouts > 0)
    expect(page.end).toBeUndefined()
    user = null
    await page.ends()
    expect(page.failures).toEqual([expect.stringContaining('login')])
    user = 'bob'
    await expectErrorArray(
      await post(site, `privateToken=${privateToken}&lastMessageId=0`),
      'COMET_IDENTITY_HAS_CHANGED',
    )
  })
})

describe('a request of the AspNetComet form whose parameters are wrong is answered 200 with an error array', () => {
  const TOKEN = 'x'.repeat(43)

  test.each([
    ['no token', 'lastMessageId=0', 'COMET_TOKEN_IS_MISSING'],
    ['an empty token', 'privateToken=&lastMessageId=0', 'COMET_TOKEN_IS_MISSING'],
    ['an empty body', '', 'COMET_TOKEN_IS_MISSING'],
    [
      'a lastMessageId that is no number',
      `privateToken=${TOKEN}&lastMessageId=abc`,
      'COMET_PARAMETERS_ARE_INVALID',
    ],
    ['an empty lastMessageId', `privateToken=${TOKEN}&lastMessageId=`, 'COMET_PARAMETERS_ARE_INVALID'],
    ['a fraction', `privateToken=${TOKEN}&lastMessageId=1.5`, 'COMET_PARAMETERS_ARE_INVALID'],
    [
      'an id above the safe integers',
      `privateToken=${TOKEN}&lastMessageId=9999999999999999`,
      'COMET_PARAMETERS_ARE_INVALID',
    ],
    ['two tokens', `privateToken=${TOKEN}&privateToken=${TOKEN}`, 'COMET_PARAMETERS_ARE_INVALID'],
    [
      'a token that is a table',
      'privateToken[__proto__]=1&privateToken[a]=2',
      'COMET_PARAMETERS_ARE_INVALID',
    ],
    ['two ids', `privateToken=${TOKEN}&lastMessageId=1&lastMessageId=2`, 'COMET_PARAMETERS_ARE_INVALID'],
    ['a token of 300 characters', `privateToken=${'x'.repeat(300)}`, 'COMET_PARAMETERS_ARE_INVALID'],
    ['broken percent encoding', 'privateToken=%E0%A4%A&lastMessageId=0', 'COMET_TOKEN_IS_UNKNOWN'],
    ['a token that was never given', `privateToken=${TOKEN}&lastMessageId=0`, 'COMET_TOKEN_IS_UNKNOWN'],
    ['more than 4 KiB', `privateToken=${'x'.repeat(5000)}`, 'COMET_BODY_IS_TOO_LARGE'],
  ])('(%s)', async (_, body, code) => {
    const text = await expectErrorArray(await post(await openSite(), body), code)
    expect(text).not.toContain(TOKEN)
  })

  test('(bytes that are no UTF-8)', async () => {
    const body = Buffer.concat([Buffer.from('privateToken='), Buffer.from([0xff, 0xfe, 0xc0])])
    await expectErrorArray(await post(await openSite(), body), 'COMET_TOKEN_IS_UNKNOWN')
  })

  test('(an encoding that it does not bear)', async () => {
    const site = await openSite()
    for (const encoding of ['gzip', 'br', 'nonsense']) {
      const response = await post(site, 'privateToken=x', { 'Content-Encoding': encoding })
      await expectErrorArray(response, 'COMET_PARAMETERS_ARE_INVALID')
    }
  })

  test('(one too large), and the connection is not kept for the rest of the body', async () => {
    const { port } = await openSite()
    const head = 'POST /comet HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n'
    const answer = await rawExchange(port, `${head}Content-Length: 1000000\r\n\r\nprivateToken=`)
    expect(answer.status).toBe(200)
    expect(answer.headers.connection).toBe('close')
    expect(JSON.parse(answer.body)).toMatchObject([{ code: 'COMET_BODY_IS_TOO_LARGE' }])
  })
})

describe('the test’s page of 2008 dies as that client does', () => {
  test.each([
    ['another status than 200', 500, '[{"mid":1,"n":"a","c":1}]', 'silently dead'],
    ['what is no JSON', 200, '<html>', 'silently dead'],
    ['an empty body', 200, '', 'failed'],
    ['an empty array', 200, '[]', 'failed'],
    ['an error', 200, '[{"mid":0,"n":"aspNetComet.error","c":"x"}]', 'failed'],
  ] as const)('of %s', async (_, status, body, end) => {
    const { served } = await openSite({
      before: [
        (ctx) => {
          ctx.status = status
          ctx.body = body
        },
      ],
    })
    const page = new AspNetCometPage(served.origin, 'token').subscribe()
    await page.ends()
    expect([page.end, page.requests.length]).toEqual([end, 1])
  })

  test('of a connection that breaks', async () => {
    const { served } = await openSite({ before: [(ctx) => void ctx.res.destroy()] })
    const page = new AspNetCometPage(served.origin, 'token').subscribe()
    await page.ends()
    expect(page.end).toBe('silently dead')
  })
})
