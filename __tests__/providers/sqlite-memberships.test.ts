import { afterEach, describe, expect, jest, test } from '@jest/globals'
import { MAX_ENDED_MEMBERSHIPS } from '../../lib/memberships.ts'
import {
  hashOf,
  initialise,
  initialiseAs,
  join,
  leave,
  remove,
  send,
} from '../../providers/contract/operations.ts'
import { watchStatements } from './sqlite-connections.ts'
import { createStore, disposeStores, type SqliteStore } from './sqlite-store.ts'
import { mostInOneTurn } from './sqlite-turns.ts'

afterEach(async () => {
  jest.restoreAllMocks()
  await disposeStores()
})

function membersIn(store: SqliteStore): number {
  return store.connect().prepare<[], number>('SELECT count(*) FROM comet_1_members').pluck().get()!
}

describe('Memberships in a file', () => {
  test('survive a restart, those that ended too', async () => {
    const store = createStore()
    const node = await store.open()
    await node.append(
      initialiseAs('ann', { groups: ['first'] }),
      join('ann', 'second'),
      leave('ann', 'first'),
    )
    const before = await node.record(hashOf('ann'))
    await store.closeAll()
    const later = await store.open()
    expect(await later.record(hashOf('ann'))).toEqual(before)
    expect(before.client.groups).toEqual(['second'])
    expect(await later.listed(['g:first', 'g:second'])).toEqual(['ann'])
    expect(await later.listed(['g:first'])).toEqual([])
  })

  test('do not grow, however often a client joins and leaves', async () => {
    const store = createStore()
    const node = await store.open({ retention: { messages: 50 }, durability: 'normal' })
    await node.append(initialise('ann'), join('ann', 'stays'))
    for (let round = 0; round < 300; round += 1)
      await node.append(join('ann', `group ${round}`), leave('ann', `group ${round}`))
    const { memberships, lostThrough } = await node.record(hashOf('ann'))
    expect(memberships.filter(({ left }) => left !== undefined)).toHaveLength(MAX_ENDED_MEMBERSHIPS)
    expect(lostThrough).toBeDefined()
    expect(membersIn(store)).toBe(1)
    // What the window does not reach is dropped with the next that ends.
    for (let round = 0; round < 60; round += 1) await node.append(send())
    await node.append(join('ann', 'last'), leave('ann', 'last'))
    const groups = (await node.record(hashOf('ann'))).memberships.map(({ group }) => group)
    expect(groups).toEqual(['stays', 'last'])
    await node.append(remove('ann', memberships[0]!.joined - 1))
    expect(membersIn(store)).toBe(0)
  })

  test('of many clients that run out at once end in many turns', async () => {
    const store = createStore()
    const node = await store.open({ durability: 'normal' })
    await node.sweep()
    const groups = Array.from({ length: 50 }, (_, index) => `group ${index}`)
    for (let index = 0; index < 100; index += 1)
      await node.append(initialiseAs(`client-${index}`, { groups }, { leaseSeconds: 5 }))
    expect(membersIn(store)).toBe(5000)
    store.nowMs += 6000
    const rows = watchStatements()
    let removed: string[] = []
    const most = await mostInOneTurn(rows, async () => {
      removed = await node.sweep()
    })
    expect(removed).toHaveLength(100)
    expect(membersIn(store)).toBe(0)
    expect(most).toBeLessThan(2000)
  })

  test('of many clients that come at once begin in many turns', async () => {
    const store = createStore()
    const node = await store.open({ durability: 'normal' })
    const groups = Array.from({ length: 50 }, (_, index) => `group ${index}`)
    const crowd = Array.from({ length: 100 }, (_, index) => initialiseAs(`client-${index}`, { groups }))
    const rows = watchStatements()
    expect(await mostInOneTurn(rows, () => node.append(...crowd))).toBeLessThan(1000)
    expect(membersIn(store)).toBe(5000)
  })
})
