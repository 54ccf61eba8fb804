import { afterEach, describe, expect, test } from '@jest/globals'
import { RawConnection, rawExchange } from '../handlers/raw-connection.ts'
import { closeSites, openSite, type Site } from '../support/site.ts'
import { AspNetCometPage } from './asp-net-comet-page.ts'

const pages: AspNetCometPage[] = []

afterEach(async () => {
  for (const page of pages.splice(0)) page.close()
  await closeSites()
})

function openPage({ url }: Site, privateToken: string): AspNetCometPage {
  const page = new AspNetCometPage(url, privateToken).subscribe()
  pages.push(page)
  return page
}

/** The request as that client writes it, and nothing that it does not send. */
function requestOf2008(body: string, type = 'application/x-www-form-urlencoded'): string {
  return [
    'POST /comet HTTP/1.1',
    'Host: localhost',
    `Content-Type: ${type}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n')
}

describe('a page of the AspNetComet client of 2008', () => {
  test('gets all messages in order, each once, whether it was waiting or between two polls', async () => {
    const site = await openSite()
    const { privateToken } = await site.newClient()
    await site.channel.sendMessage('Count', 0)
    const page = openPage(site, privateToken)
    for (let n = 1; n < 100; n += 1) await site.channel.sendMessage('Count', n)
    await page.receives(100)
    expect(page.received.map(({ c }) => c)).toEqual(Array.from({ length: 100 }, (_, n) => n))
    expect(page.end).toBeUndefined()
  })

  test('gets messages of the shape it knows: mid, n and c', async () => {
    const site = await openSite()
    const { privateToken } = await site.newClient()
    const id = await site.channel.sendMessage('ChatMessage', { From: 'bob', Message: 'hi' })
    const page = openPage(site, privateToken)
    await page.receives(1)
    expect(page.received).toEqual([{ mid: id, n: 'ChatMessage', c: { From: 'bob', Message: 'hi' } }])
  })

  test('acknowledges with lastMessageId, and begins with 0', async () => {
    const site = await openSite()
    const { privateToken } = await site.newClient()
    const page = openPage(site, privateToken)
    await site.holds(1)
    const id = await site.channel.sendMessage('Count', 1)
    await page.receives(1)
    await site.holds(1)
    expect(page.requests).toEqual([
      `privateToken=${privateToken}&lastMessageId=0`,
      `privateToken=${privateToken}&lastMessageId=${id}`,
    ])
  })

  test('that is loaded anew gets what was not acknowledged again, and nothing that was', async () => {
    const site = await openSite()
    const { privateToken } = await site.newClient()
    await site.channel.sendMessage('Count', 1)
    const page = openPage(site, privateToken)
    await page.receives(1)
    // Its second request acknowledges the first message, and is the last one of this page life.
    await site.holds(1)
    page.unsubscribe()
    await site.channel.sendMessage('Count', 2)
    await page.ends()
    expect(page.received.map(({ c }) => c)).toEqual([1, 2])
    const reloaded = openPage(site, privateToken)
    await reloaded.receives(1)
    expect(reloaded.received.map(({ c }) => c)).toEqual([2])
  })

  test('that unsubscribes still gets the answer of its open request, and asks no more', async () => {
    const site = await openSite()
    const { privateToken } = await site.newClient()
    const page = openPage(site, privateToken)
    await site.holds(1)
    page.unsubscribe()
    await site.channel.sendMessage('Last', 1)
    await page.ends()
    expect(page.received).toMatchObject([{ n: 'Last' }])
    expect(page.end).toBe('unsubscribed')
    expect(page.requests).toHaveLength(1)
  })

  test('needs no encoding of its token: the channel’s own tokens are the same in a form', async () => {
    const { newClient } = await openSite()
    for (let n = 0; n < 200; n += 1) {
      const { privateToken } = await newClient()
      expect(new URLSearchParams({ privateToken }).toString()).toBe(`privateToken=${privateToken}`)
    }
  })

  test('is served with a token of the app’s own making', async () => {
    const site = await openSite()
    const privateToken = 'app-made.token*with_marks-0123456789'
    await site.newClient({ privateToken })
    await site.channel.sendMessage('Count', 1)
    const page = openPage(site, privateToken)
    await page.receives(1)
    expect(page.received).toMatchObject([{ c: 1 }])
  })
})

describe('the AspNetComet wire', () => {
  test.each(['application/x-www-form-urlencoded', 'application/x-www-form-urlencoded; charset=UTF-8'])(
    'takes a bare request of type %s and answers 200 with a JSON array',
    async (type) => {
      const site = await openSite()
      const { privateToken } = await site.newClient()
      const id = await site.channel.sendMessage('Count', 1)
      const body = `privateToken=${privateToken}&lastMessageId=0`
      const answer = await rawExchange(site.port, requestOf2008(body, type))
      expect(answer.status).toBe(200)
      expect(answer.body).toBe(`[{"mid":${id},"n":"Count","c":1}]`)
      expect(answer.headers['cache-control']).toBe('no-store')
      expect(answer.headers['x-content-type-options']).toBe('nosniff')
      expect(answer.headers['content-type']).toBe('application/json; charset=utf-8')
    },
  )

  test.each(['-1', '0', undefined])('begins at the client’s start for lastMessageId %s', async (id) => {
    const site = await openSite()
    await site.channel.sendMessage('Early', 0)
    const { privateToken } = await site.newClient()
    await site.channel.sendMessage('Late', 1)
    const body = `privateToken=${privateToken}${id === undefined ? '' : `&lastMessageId=${id}`}`
    const answer = await rawExchange(site.port, requestOf2008(body))
    expect(JSON.parse(answer.body)).toMatchObject([{ n: 'Late' }])
  })

  test('keeps its connection for the next request', async () => {
    const site = await openSite()
    const { privateToken } = await site.newClient()
    const connection = await RawConnection.open(site.port)
    let lastMessageId = 0
    for (const n of [1, 2, 3]) {
      connection.send(requestOf2008(`privateToken=${privateToken}&lastMessageId=${lastMessageId}`))
      await site.holds(1)
      lastMessageId = await site.channel.sendMessage('Count', n)
      expect(JSON.parse((await connection.answer()).body)).toEqual([{ mid: lastMessageId, n: 'Count', c: n }])
    }
    await connection.close()
  })
})
