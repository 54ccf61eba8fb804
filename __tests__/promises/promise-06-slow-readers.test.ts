import { afterEach, expect, test } from '@jest/globals'
import { countTo, RawPage } from '../support/raw-page.ts'
import { closeSites, openSite } from '../support/site.ts'

afterEach(closeSites)

test('Promise 6: what is retained does not depend on how many clients have not read it', async () => {
  const retained = await Promise.all(
    [0, 1, 200].map(async (clients) => {
      const { channel, newClient } = await openSite()
      await channel.open()
      const pages = await Promise.all(countTo(clients).map(async () => new RawPage(await newClient())))
      const before = channel.stats().retainedBytes
      for (const index of countTo(50)) await channel.sendMessage('M', 'x'.repeat(100 + index))
      expect(pages).toHaveLength(clients)
      return [channel.stats().retainedMessages, channel.stats().retainedBytes - before]
    }),
  )
  expect(retained[1]).toEqual(retained[0])
  expect(retained[2]).toEqual(retained[0])
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
