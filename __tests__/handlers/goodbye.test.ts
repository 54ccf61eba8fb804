import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { eventually } from '../support/eventually.ts'
import { fakeTime, passSeconds, realTime } from '../support/fake-time.ts'
import { glance, poll } from '../support/page.ts'
import { closeSites, openSite, type Site } from '../support/site.ts'
import { SLOW, slowPages } from '../support/slow-pages.ts'
import { openNodes } from '../support/two-nodes.ts'

beforeEach(fakeTime)
afterEach(async () => {
  realTime()
  await closeSites()
})

/** Five seconds that a goodbye leaves, and the next sweep. */
const GONE_AFTER_SECONDS = 11

function goodbye({ url }: Site, fields: Record<string, string>, init: RequestInit = {}): Promise<Response> {
  return fetch(`${url}/goodbye`, { method: 'POST', body: new URLSearchParams(fields), ...init })
}

async function exists({ channel }: Site, privateToken: string): Promise<boolean> {
  return channel.getCometClient(privateToken).then(
    () => true,
    () => false,
  )
}

describe('POST /comet/goodbye', () => {
  test('as sendBeacon sends URLSearchParams: 204, nothing in it, and the client is gone in seconds', async () => {
    const site = await openSite()
    const gone: unknown[] = []
    site.channel.on('clientDisconnected', (client, detail) => gone.push([client.publicToken, detail]))
    const { publicToken, privateToken } = await site.newClient()
    await glance(site.url, privateToken, { headers: { 'Comet-Page': 'page-1;new' } })
    const response = await goodbye(site, { privateToken, page: 'page-1' })
    expect([response.status, await response.text()]).toEqual([204, ''])
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    await passSeconds(4)
    expect(await exists(site, privateToken)).toBe(true)
    await passSeconds(GONE_AFTER_SECONDS - 4)
    expect(await exists(site, privateToken)).toBe(false)
    expect(gone).toEqual([[publicToken, { reason: 'goodbye' }]])
  })

  test('takes its fields as JSON or in headers too', async () => {
    const site = await openSite()
    const { privateToken } = await site.newClient()
    const other = await site.newClient()
    const headers = { 'Content-Type': 'application/json' }
    await goodbye(site, {}, { headers, body: JSON.stringify({ privateToken }) })
    await goodbye(site, {}, { headers: { 'Comet-Token': other.privateToken }, body: null })
    await passSeconds(GONE_AFTER_SECONDS)
    expect(await exists(site, privateToken)).toBe(false)
    expect(await exists(site, other.privateToken)).toBe(false)
  })

  test('answers what is still held for the leaving page, so that it does not live on by it', async () => {
    const site = await openSite()
    const { privateToken } = await site.newClient()
    const polling = poll(site.url, privateToken, { headers: { 'Comet-Page': 'page-1;new' } })
    await site.holds(1)
    await goodbye(site, { privateToken, page: 'page-1' })
    expect((await polling).messages).toMatchObject([{ n: 'aspNetComet.replaced' }])
    await passSeconds(GONE_AFTER_SECONDS)
    expect(await exists(site, privateToken)).toBe(false)
  })

  test('is not undone by a poll of the same page that was on its way before it', async () => {
    let letIn = (): void => undefined
    let isAsked = false
    const identify = async (): Promise<string> => {
      isAsked = true
      await new Promise<void>((resolve) => (letIn = resolve))
      return 'ann'
    }
    const site = await openSite({ options: { identify } })
    const { privateToken } = await site.newClient({ userId: 'ann' })
    const headers = { 'Comet-Page': 'page-1;new' }
    const first = glance(site.url, privateToken, { headers })
    await eventually(() => isAsked)
    letIn()
    const { cursor } = await first
    isAsked = false
    const onItsWay = poll(site.url, privateToken, { cursor: cursor!, headers: { 'Comet-Page': 'page-1' } })
    await eventually(() => isAsked)
    await goodbye(site, { privateToken, page: 'page-1' })
    letIn()
    expect((await onItsWay).messages).toMatchObject([{ n: 'aspNetComet.replaced' }])
    await passSeconds(GONE_AFTER_SECONDS)
    expect(await exists(site, privateToken)).toBe(false)
  })

  test('is not undone by a poll of the same page that another node held', async () => {
    const [node, other] = await openNodes(2, { connectionTimeoutSeconds: 60, connectionIdleSeconds: 90 })
    const { privateToken } = await node!.newClient()
    const headers = { 'Comet-Page': 'page-1;new' }
    const page = new AbortController()
    // Renewed between two ticks, it gets due between two ticks.
    await passSeconds(0.5)
    const held = poll(other!.url, privateToken, { headers, signal: page.signal }).catch(() => 'gone')
    await other!.holds(1)
    await passSeconds(30.2)
    page.abort()
    expect(await held).toBe('gone')
    await other!.holds(0)
    await goodbye(node!, { privateToken, page: 'page-1' })
    await passSeconds(GONE_AFTER_SECONDS + 1)
    expect(await exists(node!, privateToken)).toBe(false)
  })

  test('is not undone by another node that renews for what it saw before', async () => {
    const [node, other] = await openNodes(2, { connectionIdleSeconds: 90 })
    // Renewed between two ticks, it gets due between two ticks.
    await passSeconds(0.5)
    const { privateToken } = await node!.newClient()
    const { cursor } = await glance(other!.url, privateToken, { headers: { 'Comet-Page': 'page-1;new' } })
    await passSeconds(30.2)
    await glance(other!.url, privateToken, { cursor: cursor!, headers: { 'Comet-Page': 'page-1' } })
    await goodbye(node!, { privateToken, page: 'page-1' })
    await passSeconds(GONE_AFTER_SECONDS + 1)
    expect(await exists(node!, privateToken)).toBe(false)
  })

  test('is not forgotten for that of another page, which does not have the client', async () => {
    const { identify, wait, letIn } = slowPages()
    const site = await openSite({ options: { identify } })
    const { privateToken } = await site.newClient({ userId: 'ann' })
    await glance(site.url, privateToken, { headers: { 'Comet-Page': 'page-0;new' } })
    const { cursor } = await glance(site.url, privateToken, { headers: { 'Comet-Page': 'page-1;new' } })
    const headers = { 'Comet-Page': 'page-1', ...SLOW }
    const onItsWay = poll(site.url, privateToken, { cursor: cursor!, headers })
    await wait(1)
    await goodbye(site, { privateToken, page: 'page-1' })
    await goodbye(site, { privateToken, page: 'page-0' })
    letIn()
    expect((await onItsWay).messages).toMatchObject([{ n: 'aspNetComet.replaced' }])
    await passSeconds(GONE_AFTER_SECONDS)
    expect(await exists(site, privateToken)).toBe(false)
  })

  test('of a page that comes back out of the browser’s cache is taken back by its next poll', async () => {
    const site = await openSite()
    const { privateToken } = await site.newClient()
    const headers = { 'Comet-Page': 'page-1;new' }
    const { cursor } = await glance(site.url, privateToken, { headers })
    await goodbye(site, { privateToken, page: 'page-1' })
    await passSeconds(1)
    await glance(site.url, privateToken, { cursor: cursor!, headers: { 'Comet-Page': 'page-1' } })
    await passSeconds(GONE_AFTER_SECONDS)
    expect(await exists(site, privateToken)).toBe(true)
  })

  test('of another page than the one that has the client does nothing', async () => {
    const site = await openSite()
    const { privateToken } = await site.newClient()
    await glance(site.url, privateToken, { headers: { 'Comet-Page': 'page-1;new' } })
    const polling = poll(site.url, privateToken, { headers: { 'Comet-Page': 'page-2;new' } })
    await site.holds(1)
    expect((await goodbye(site, { privateToken, page: 'page-1' })).status).toBe(204)
    await passSeconds(GONE_AFTER_SECONDS)
    expect(await exists(site, privateToken)).toBe(true)
    expect(site.channel.stats().heldRequests).toBe(1)
    await site.channel.sendMessage('Count', 1)
    expect((await polling).messages).toMatchObject([{ c: 1 }])
  })

  test('of a page that is loaded anew is taken back by its next life', async () => {
    const site = await openSite()
    const gone: unknown[] = []
    site.channel.on('clientDisconnected', (client) => gone.push(client))
    const { privateToken } = await site.newClient()
    const { cursor } = await glance(site.url, privateToken, { headers: { 'Comet-Page': 'life-1;new' } })
    await goodbye(site, { privateToken, page: 'life-1' })
    await passSeconds(1)
    await glance(site.url, privateToken, { cursor: cursor!, headers: { 'Comet-Page': 'life-2;new' } })
    await passSeconds(GONE_AFTER_SECONDS)
    expect(await exists(site, privateToken)).toBe(true)
    expect(gone).toEqual([])
  })

  test('of a token that is unknown, stopped or gone is 204 all the same: there is nothing left to do', async () => {
    const site = await openSite()
    const stopped = await site.newClient()
    await site.channel.stopClient(stopped.publicToken)
    for (const privateToken of ['nobody-has-this-token', stopped.privateToken]) {
      expect((await goodbye(site, { privateToken, page: 'page-1' })).status).toBe(204)
    }
    const { privateToken } = await site.newClient()
    expect((await goodbye(site, { privateToken })).status).toBe(204)
    expect((await goodbye(site, { privateToken })).status).toBe(204)
  })

  test.each([
    ['no token', {}, 401],
    ['a page id that is none', { privateToken: 'x', page: 'a b' }, 400],
    ['a token that is too long', { privateToken: 'x'.repeat(300) }, 400],
  ] as const)('with %s is refused', async (_, fields, status) => {
    const response = await goodbye(await openSite(), fields)
    expect(response.status).toBe(status)
  })

  test('as a Blob of plain text, which a form of another site could send, is refused with 415', async () => {
    const site = await openSite()
    const { privateToken } = await site.newClient()
    const body = new Blob([`privateToken=${privateToken}`], { type: 'text/plain' })
    expect((await goodbye(site, {}, { body })).status).toBe(415)
    await passSeconds(GONE_AFTER_SECONDS)
    expect(await exists(site, privateToken)).toBe(true)
  })

  test('from a page of another site is refused', async () => {
    const site = await openSite()
    const { privateToken } = await site.newClient()
    const headers = { 'Sec-Fetch-Site': 'cross-site' }
    expect((await goodbye(site, { privateToken }, { headers })).status).toBe(403)
    await passSeconds(GONE_AFTER_SECONDS)
    expect(await exists(site, privateToken)).toBe(true)
  })
})
