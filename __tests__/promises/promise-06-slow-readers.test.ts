import { afterEach, expect, test } from '@jest/globals'
import { heapBytes } from '../support/heap.ts'
import { countTo, RawPage } from '../support/raw-page.ts'
import { closeSites, openSite } from '../support/site.ts'

afterEach(closeSites)

/** How much the heap grows by messages that nobody reads, when so many clients have not read them. */
async function growthBy(messages: number, clients: number): Promise<number> {
  const { channel, newClient, url } = await openSite()
  await channel.open()
  const pages = await Promise.all(countTo(clients).map(async () => new RawPage(await newClient())))
  await Promise.all(pages.map((page) => page.glance(url)))
  const before = heapBytes()
  for (let sent = 0; sent < messages; sent += 100) {
    await Promise.all(countTo(100).map((index) => channel.sendMessage('M', sent + index)))
  }
  const growth = heapBytes() - before
  const counts = [channel.stats().retainedMessages, channel.stats().knownClients, pages.length]
  expect(counts).toEqual([messages, clients, clients])
  return growth
}

test('Promise 6: messages take as much memory whether nobody or 200 clients have not read them', async () => {
  const messages = 4000
  // Once before, for what is compiled and cached at the first time.
  await growthBy(messages, 2)
  const [byNone, byMany] = [await growthBy(messages, 0), await growthBy(messages, 200)]
  // A queue for each client, were it of references alone, would take 8 bytes for each message.
  expect(byMany - byNone).toBeLessThan((200 * messages * 8) / 4)
})

test('Promise 6: a message to 1,000 clients is kept once', async () => {
  const { channel, newClient } = await openSite()
  const clients = await Promise.all(countTo(1000).map(() => newClient()))
  const before = channel.stats()
  const contents = 'x'.repeat(100_000)
  await channel.sendMessage('M', contents, { to: clients.map(({ publicToken }) => publicToken) })
  const after = channel.stats()
  expect(after.retainedMessages - before.retainedMessages).toBe(1)
  // The contents once, and for each receiver no more than a place in the index.
  expect(after.retainedBytes - before.retainedBytes).toBeLessThan(contents.length + 1000 * 600)
})

test('Promise 6: one that reads slowly holds up nobody, and in the end has it all, or is told', async () => {
  const { channel, newClient, url } = await openSite({
    options: { maxAnswerBytes: 2000, retention: { messages: 500 } },
  })
  const [fast, slow, slowest] = await Promise.all(countTo(3).map(async () => new RawPage(await newClient())))
  for (const index of countTo(600)) {
    await channel.sendMessage('M', index)
    await fast!.glance(url)
    if (index % 20 === 0) await slow!.glance(url)
  }
  for (const page of [slow!, slowest!]) while ((await page.glance(url)).messages.at(-1)?.n === 'M');
  expect([fast!.contents, fast!.resets]).toEqual([countTo(600), []])
  expect([slow!.contents, slow!.resets]).toEqual([countTo(600), []])
  expect([slowest!.contents, slowest!.resets]).toEqual([
    countTo(500, 101),
    [expect.objectContaining({ reason: 'trimmed' })],
  ])
})
