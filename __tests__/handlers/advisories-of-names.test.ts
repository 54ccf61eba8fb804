import { afterEach, describe, expect, test } from '@jest/globals'
import { glance } from '../support/page.ts'
import { closeSites, openSite, type Site } from '../support/site.ts'
import { expectServed } from './expect-served.ts'
import { rawExchange } from './raw-connection.ts'

afterEach(closeSites)

function postJson({ url }: Site, fields: unknown): Promise<Response> {
  const headers = { 'Content-Type': 'application/json', Prefer: 'wait=0' }
  return fetch(url, { method: 'POST', headers, body: JSON.stringify(fields) })
}

/** Each is a bug of a comparable system; the number is its row in our list of them. */
describe('what others were attacked by in names and values does nothing here', () => {
  test('row 7, CVE-2023-31125: an unknown transport, in the query or in Accept, is no key of a table', async () => {
    const site = await openSite()
    const { privateToken } = await site.newClient()
    for (const transport of ['__proto__', 'constructor', 'toString', 'webSockets', '']) {
      const url = `${site.url}?transport=${transport}&EIO=4`
      expect((await glance(url, privateToken)).status).toBe(200)
      const { status } = await glance(url, privateToken, { headers: { Accept: `application/${transport}` } })
      expect([200, 406]).toContain(status)
    }
    await expectServed(site)
  })

  test('row 8, CVE-2022-2421: a field of another type than text or number is refused', async () => {
    const site = await openSite()
    const { privateToken } = await site.newClient()
    const strange: unknown[] = [[], {}, true, null, [['x']], { toString: 'x' }, { length: 1 }, 1.5, 1e300]
    for (const value of strange) {
      expect((await postJson(site, { privateToken: value })).status).toBe(400)
      expect((await postJson(site, { privateToken, lastMessageId: value })).status).toBe(400)
      if (typeof value === 'number') continue
      expect((await postJson(site, { privateToken, lastMessageId: 1, epoch: value })).status).toBe(400)
    }
    await expectServed(site)
  })

  test('row 9, CVE-2024-38355: no name that comes from outside is the name of an event', async () => {
    const site = await openSite()
    const { privateToken } = await site.newClient({ publicToken: 'error', displayName: 'error' })
    await site.channel.sendMessage('error', 'error', { to: 'error' })
    const headers = { 'Comet-Page': 'error;new' }
    expect((await glance(site.url, privateToken, { headers })).messages).toMatchObject([{ n: 'error' }])
    await expectServed(site)
  })

  test('row 15, CVE-2022-24721: no public token is an internal address, nor a message a control', async () => {
    const site = await openSite()
    const other = await site.newClient()
    for (const publicToken of ['*', `c:${other.publicToken}`, 'g:all', 'u:ann']) {
      const { privateToken } = await site.newClient({ publicToken })
      const id = await site.channel.sendMessage('Yours', 1, { to: publicToken })
      expect((await glance(site.url, privateToken)).messages).toMatchObject([{ mid: id }])
    }
    expect((await glance(site.url, other.privateToken)).messages).toMatchObject([
      { n: 'aspNetComet.timeout' },
    ])
    await expect(site.channel.sendMessage('aspNetComet.error', 'x')).rejects.toMatchObject({
      code: 'COMET_PARAMETERS_ARE_INVALID',
    })
  })

  test('row 22, Nchan 1.3.7: a message id is hostile input wherever it stands', async () => {
    const site = await openSite()
    const { privateToken } = await site.newClient()
    const { epoch } = site.channel.stats()
    const ids = [
      '-9999999999999999',
      '9007199254740993',
      'NaN',
      'Infinity',
      '0x1',
      '1e9',
      ' 1',
      '9'.repeat(3000),
      '1\u0000',
    ]
    for (const lastMessageId of ids) {
      expect((await postJson(site, { privateToken, lastMessageId })).status).toBe(400)
      const cursor = `${epoch}:${lastMessageId.replaceAll('\u0000', '')}`
      expect((await glance(site.url, privateToken, { cursor })).status).toBe(200)
    }
    await expectServed(site)
  })

  test('row 23, CVE-2026-39972: names that are alike when joined are still two', async () => {
    const site = await openSite()
    const one = await site.newClient({ publicToken: 'a:b' })
    const two = await site.newClient({ publicToken: 'a' })
    await site.channel.sendMessage('ForOne', 1, { to: 'a:b' })
    await site.channel.sendMessage('ForTwo', 2, { to: 'a' })
    expect((await glance(site.url, one.privateToken)).messages.map(({ n }) => n)).toEqual(['ForOne'])
    expect((await glance(site.url, two.privateToken)).messages.map(({ n }) => n)).toEqual(['ForTwo'])
  })

  test('row 30, CVE-2026-21710: a header may be named __proto__', async () => {
    const site = await openSite()
    const { privateToken } = await site.newClient()
    for (const name of ['__proto__', 'constructor', 'hasOwnProperty', 'toString']) {
      const request = `GET /comet HTTP/1.1\r\nHost: x\r\n${name}: x\r\n${name}: y\r\nComet-Token: ${privateToken}\r\nPrefer: wait=0\r\n\r\n`
      expect((await rawExchange(site.port, request)).status).toBe(200)
    }
    await expectServed(site)
  })
})
