import { afterEach, expect, test } from '@jest/globals'
import { countTo } from '../support/raw-page.ts'
import { closeSites } from '../support/site.ts'
import { TestPage } from '../support/test-page.ts'
import { overEachTransport } from '../support/transports.ts'
import { openNodes, openTwoNodes } from '../support/two-nodes.ts'

afterEach(closeSites)

overEachTransport(({ glance, transport }) => {
  test('Promise 5: a client is known on every node, with all that it is', async () => {
    const nodes = await openNodes(3)
    const { privateToken, ...record } = await nodes[0]!.newClient({
      displayName: 'Ann',
      userId: '7',
      data: [1],
    })
    for (const { channel, url } of nodes) {
      expect(await channel.getCometClient(privateToken)).toMatchObject({
        publicToken: record.publicToken,
        data: [1],
        userId: '7',
      })
      expect((await glance(url, privateToken)).status).toBe(200)
      const listed: unknown[] = []
      for await (const { publicToken } of channel.getClients()) listed.push(publicToken)
      expect(listed).toEqual([record.publicToken])
    }
  })

  test('Promise 5: it outlives its connections and the node that it was on', async () => {
    const [first, ...others] = await openNodes(4)
    const page = new TestPage(transport, await first!.newClient())
    await page.glance(first!.url)
    await first!.channel.close()
    for (const [index, node] of others.entries()) {
      await node.channel.sendMessage('M', index)
      expect((await page.glance(node.url)).outcome).toBe('resumed')
      await node.channel.sendMessage('M', index + 100)
      await node.channel.close()
    }
    expect([page.contents, page.resets]).toEqual([[0, 100, 1, 101, 2], []])
  })

  test('Promise 5: whichever node sends, receives or stops, it is the same', async () => {
    const { lagging: one, current: two } = await openTwoNodes()
    const client = await one.newClient()
    const page = new TestPage(transport, client)
    for (const index of countTo(10)) {
      const [from, to] = index % 2 === 0 ? [one, two] : [two, one]
      const held = page.next(to.url)
      await to.holds(1)
      await from.channel.sendMessage('M', index, { to: client.publicToken })
      await held
    }
    expect([page.contents, page.resets]).toEqual([countTo(10), []])
    const held = page.next(one.url)
    await one.holds(1)
    await two.channel.stopClient(client.publicToken)
    expect((await held).status).toBe(403)
    expect((await page.glance(two.url)).status).toBe(403)
  })
})
