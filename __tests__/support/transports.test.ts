import { afterEach, expect, test } from '@jest/globals'
import { closeSites, openSite, type Site } from './site.ts'
import { TestPage } from './test-page.ts'
import { overEachTransport, TRANSPORTS } from './transports.ts'

afterEach(closeSites)

async function openCounted(): Promise<{ readonly site: Site; readonly accepted: string[] }> {
  const accepted: string[] = []
  const site = await openSite({
    before: [
      (ctx, next) => {
        accepted.push(ctx.get('Accept'))
        return next()
      },
    ],
  })
  return { site, accepted }
}

test('The transports are what they are called, as the server sees them: a page reconnects after two messages', async () => {
  const [POLL, STREAM] = ['*/*', 'text/event-stream']
  const seen: Record<string, string[]> = {}
  for (const transport of TRANSPORTS) {
    const { site, accepted } = await openCounted()
    const page = new TestPage(transport, await site.newClient())
    for (const index of [1, 2, 3]) {
      await site.channel.sendMessage('M', index)
      await page.next(site.url)
      if (index === 2) await page.drop()
    }
    await page.drop()
    expect(page.contents).toEqual([1, 2, 3])
    seen[transport.name] = accepted
  }
  expect(seen).toEqual({
    'long polling': [POLL, POLL, POLL],
    streaming: [STREAM, STREAM],
    'changing transports': [STREAM, POLL],
  })
})

overEachTransport(({ poll, transport }) => {
  test('A page keeps its place when its connection breaks, and when it changes the request', async () => {
    const { channel, newClient, url, holds } = await openSite()
    const page = new TestPage(transport, await newClient())
    await channel.sendMessage('M', 1)
    await page.visit(url)
    await channel.sendMessage('M', 2)
    await page.glance(url)
    const broken = page.next(url).catch(() => 'broken')
    await holds(1)
    await page.drop()
    expect(await broken).toBe('broken')
    await channel.sendMessage('M', 3)
    await page.next(url)
    await page.drop()
    expect([page.contents, page.resets]).toEqual([[1, 2, 3], []])
  })

  test('A page that forgets its place is given twice what it had: a test would see it', async () => {
    const { channel, newClient, url } = await openSite()
    const page = new TestPage(transport, await newClient())
    const before = page.cursor
    await channel.sendMessage('M', 1)
    await page.glance(url)
    page.cursor = before
    await page.glance(url)
    expect(page.contents).toEqual([1, 1])
  })

  test('What is told as an error has the truthful status, also when the request had begun', async () => {
    const { channel, newClient, url, holds } = await openSite()
    const { privateToken, publicToken } = await newClient()
    const held = poll(url, privateToken)
    await holds(1)
    await channel.stopClient(publicToken)
    const { status, messages } = await held
    expect([status, messages[0]?.code]).toEqual([403, 'COMET_CLIENT_IS_STOPPED'])
  })
})
