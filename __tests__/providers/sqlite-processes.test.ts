import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import type { Entry } from 'koa-comet'
import { initialise, send } from '../../providers/contract/operations.ts'
import { ProviderNode } from '../../providers/contract/provider-node.ts'
import { AMPLE_RETENTION } from '../../providers/contract/provider-nodes.ts'
import { RecordingListener } from '../../providers/contract/recording-listener.ts'
import { RawPage } from '../support/raw-page.ts'
import { closeSites, openSite } from '../support/site.ts'
import { bundled, type Program } from './sqlite-child-process.ts'
import { ProviderProcess } from './sqlite-processes.ts'
import { createStore, disposeStores, type SqliteStore } from './sqlite-store.ts'

let program: Program
const processes: ProviderProcess[] = []

beforeAll(async () => {
  program = await bundled('sqlite-process.ts')
})

afterAll(() => program.remove())

afterEach(async () => {
  await closeSites()
  for (const process of processes.splice(0)) await process.kill()
  await disposeStores()
})

/** Nodes of one channel, each in a process of its own, that opened at once. */
async function startNodes({ file }: SqliteStore, count: number, name = 'comet'): Promise<ProviderNode[]> {
  const started = await Promise.all(
    Array.from({ length: count }, () => ProviderProcess.start(program, { file })),
  )
  processes.push(...started)
  const nodes = started.map((process) => new ProviderNode(process, new RecordingListener()))
  await Promise.all(nodes.map(({ provider, listener }) => provider.open(name, listener, AMPLE_RETENTION)))
  return nodes
}

function processOf({ provider }: ProviderNode): ProviderProcess {
  return provider as ProviderProcess
}

function idsOf(entries: readonly Entry[]): number[] {
  return entries.map(({ id }) => id)
}

describe('Several processes on one file', () => {
  test('wake each other’s polls, and tell each page once, in order', async () => {
    const store = createStore()
    const [other] = await startNodes(store, 1)
    const site = await openSite({ provider: store.node({ now: Date.now }).provider })
    const page = new RawPage(await site.newClient())
    await page.glance(site.url)
    for (let round = 0; round < 5; round += 1) {
      const held = page.poll(site.url, { waitSeconds: 15 })
      await site.holds(1)
      const sends = [0, 1].map((index) => send('Chat', { contents: JSON.stringify(10 * round + index) }))
      await Promise.all([other!.append(...sends), held])
      await page.glance(site.url)
    }
    expect(page.contents).toEqual([0, 1, 10, 11, 20, 21, 30, 31, 40, 41])
    expect(page.resets).toEqual([])
  })

  test('open a new file at once, and have one log of it, in one order', async () => {
    const store = createStore()
    const nodes = await startNodes(store, 3)
    await Promise.all(
      nodes.flatMap((node, writer) =>
        Array.from({ length: 40 }, (_, index) =>
          node.append(send(`${writer}-${index}`), send(`${writer}+${index}`)),
        ),
      ),
    )
    const told = await Promise.all(nodes.map((node) => node.told()))
    expect(told[0]).toHaveLength(240)
    expect(idsOf(told[0]!)).toEqual(idsOf(told[0]!).map((_, index) => told[0]![0]!.id + index))
    for (const each of told.slice(1)) expect(each).toEqual(told[0])
    for (const { listener } of nodes) listener.assertSound()
  })

  test('remove each idle client once', async () => {
    const store = createStore()
    const nodes = await startNodes(store, 2)
    const clients = Array.from({ length: 250 }, (_, index) =>
      initialise(`client-${index}`, { leaseSeconds: 0.001 }),
    )
    await nodes[0]!.append(...clients)
    const removed: string[] = []
    await untilTrue(async () => {
      for (const names of await Promise.all(nodes.map((node) => node.sweep()))) removed.push(...names)
      return removed.length >= clients.length
    })
    expect(removed.sort()).toEqual(clients.map(({ client }) => client.publicToken).sort())
    const told = await nodes[1]!.told()
    expect(told.filter(({ kind }) => kind === 'remove')).toHaveLength(250)
  })

  test('do not disturb each other when one stops in its way and dies with the write lock', async () => {
    const store = createStore()
    const [holder, waiting] = (await startNodes(store, 2)) as [ProviderNode, ProviderNode]
    await processOf(holder).lock()
    let isDone = false
    const append = waiting.append(send('After')).then(() => {
      isDone = true
    })
    await waiting.told()
    expect(isDone).toBe(false)
    await processOf(holder).kill()
    await append
    expect(await waiting.told()).toHaveLength(1)
  })

  test('hold one channel beside those of other names', async () => {
    const store = createStore()
    const [here] = await startNodes(store, 1, 'here')
    const [there] = await startNodes(store, 1, 'there')
    await Promise.all([here!.append(send('Here')), there!.append(send('There'))])
    expect(await here!.told()).toMatchObject([{ name: 'Here' }])
    expect(await there!.told()).toMatchObject([{ name: 'There' }])
  })
})

async function untilTrue(ask: () => Promise<boolean>): Promise<void> {
  for (let round = 0; round < 100; round += 1) if (await ask()) return
  throw new Error('not within 100 rounds')
}
