import { afterEach, expect, test } from '@jest/globals'
import { SeededRandom } from '../../providers/contract/seeded-random.ts'
import { countTo } from '../support/raw-page.ts'
import { closeSites, openSite } from '../support/site.ts'
import { TestPage } from '../support/test-page.ts'
import { overEachTransport } from '../support/transports.ts'
import { openNodes } from '../support/two-nodes.ts'

afterEach(closeSites)

overEachTransport(({ transport }) => {
  test('Promise 1: every client sees its messages in the one order of their strictly rising ids', async () => {
    const site = await openSite()
    const pages = await Promise.all(
      countTo(10).map(async () => new TestPage(transport, await site.newClient())),
    )
    let isOver = false
    const reading = pages.map(async (page) => {
      while (!isOver || page.received.at(-1)?.c !== 'last') await page.next(site.url, { waitSeconds: 1 })
    })
    await Promise.all(
      countTo(20).map(async (sender) => {
        for (const index of countTo(20)) await site.channel.sendMessage('M', `${sender}-${index}`)
      }),
    )
    await site.channel.sendMessage('M', 'last')
    isOver = true
    await Promise.all(reading)
    const [first, ...others] = pages.map(({ received }) => received)
    expect(first).toHaveLength(401)
    const ids = first!.map(({ mid }) => mid)
    expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b))
    for (const received of others) expect(received).toEqual(first)
  })

  test('Promise 1: what one sender sends in order arrives in order, to everybody and to one client alike', async () => {
    const site = await openSite()
    const client = await site.newClient()
    const page = new TestPage(transport, client)
    for (const index of countTo(50)) {
      void site.channel.sendMessage('M', index, index % 3 === 0 ? { to: client.publicToken } : {})
    }
    await site.channel.sendMessage('M', 51)
    await page.glance(site.url)
    expect(page.contents).toEqual(countTo(51))
  })

  test('Promise 1: pages that roam between nodes of random lag see everything once, in order, and no reset', async () => {
    const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31)
    process.stdout.write(`roaming: seed ${seed}\n`)
    const random = new SeededRandom(seed)
    const nodes = await openNodes(3, { retention: { messages: 10_000 } })
    const clients = await Promise.all(countTo(5).map(() => nodes[0]!.newClient()))
    const pages = clients.map((client, index) => new TestPage(transport, client, `page-${index}`))
    const sent = clients.map((): number[] => [])
    for (const step of countTo(600)) {
      const node = random.pick(nodes)
      const receiver = random.below(clients.length + 2)
      switch (random.below(5)) {
        case 0:
          node.gate.hold()
          break
        case 1:
          node.gate.release(random.chance(50) ? undefined : random.below(4))
          break
        case 2: {
          const to = clients[receiver]
          await node.channel.sendMessage('M', step, to ? { to: to.publicToken } : {})
          for (const [index, list] of sent.entries()) if (!to || index === receiver) list.push(step)
          break
        }
        default:
          await random.pick(pages).visit(node.url)
      }
    }
    for (const { gate } of nodes) gate.release()
    for (const page of pages) await page.glance(nodes[0]!.url)
    expect(pages.map(({ contents }) => contents)).toEqual(sent)
    expect(pages.flatMap(({ resets }) => resets)).toEqual([])
    expect(new Set(pages.flatMap(({ statuses }) => statuses))).toEqual(new Set([200]))
  }, 90_000)
})
