import { afterEach, describe, expect, test } from '@jest/globals'
import type { CometClient } from 'koa-comet'
import { MAX_CLAIMS_PER_CLIENT } from '../../lib/comet-claim.ts'
import { claim, initialise, remove, reply, stop } from '../../providers/contract/operations.ts'
import type { ProviderNode } from '../../providers/contract/provider-node.ts'
import { commitsIn } from './sqlite-connections.ts'
import { createStore, disposeStores, type SqliteStore } from './sqlite-store.ts'

const MIB = 1024 * 1024

afterEach(disposeStores)

/** Claims so many keys, and settles each with a reply of so many bytes. */
async function settle(node: ProviderNode, client: CometClient, count: number, bytes: number): Promise<void> {
  const claims = Array.from({ length: count }, (_, index) => claim(client, `key ${index}`, 'run 1'))
  await node.claim(...claims)
  await node.provider.settle(claims.map((each) => reply(each, JSON.stringify('x'.repeat(bytes - 2)))))
}

/** What is there of claims, and what the channel's row says of it. */
function claimsIn(store: SqliteStore): { claims: number; bytes: number; kept: number; counted: number } {
  return store
    .connect()
    .prepare<[], { claims: number; bytes: number; kept: number; counted: number }>(
      `SELECT count(*) AS claims, coalesce(sum(bytes), 0) AS bytes, coalesce(sum(length(reply)), 0) AS kept,
         (SELECT reply_bytes FROM comet_channels) AS counted FROM comet_1_claims`,
    )
    .get()!
}

describe('Claims in a file', () => {
  test('survive a restart, with what came of them; meanwhile time passes for runs alone', async () => {
    const store = createStore()
    const node = await store.open()
    await node.sweep()
    const ann = await node.initialise(initialise('ann'))
    const known = { runSeconds: 30, seconds: 60 }
    const longer = { ...known, runSeconds: 3620 }
    await node.claim(
      claim(ann, 'done', 'run 1', known),
      claim(ann, 'dead', 'run 1', known),
      claim(ann, 'running', 'run 1', longer),
    )
    await node.provider.settle([reply(claim(ann, 'done', 'run 1'), '{"a":1}')])
    await store.closeAll()
    store.nowMs += 3_600_000
    const later = await store.open()
    await later.sweep()
    const again = ['done', 'dead', 'running'].map((key) => claim(ann, key, 'run 2'))
    expect(await later.claim(...again)).toEqual([{ reply: '{"a":1}' }, 'unknown', 'running'])
    for (let passed = 0; passed < 40; passed += 10) {
      store.nowMs += 10_000
      await later.sweep()
    }
    expect(await later.claim(...again)).toEqual([{ reply: '{"a":1}' }, 'unknown', 'unknown'])
  })

  test('of one call are one commit, and so are the replies', async () => {
    const store = createStore()
    const node = await store.open()
    const ann = await node.initialise(initialise('ann'))
    const claims = Array.from({ length: 20 }, (_, index) => claim(ann, `key ${index}`, 'run'))
    const before = commitsIn(store.file)
    await node.claim(...claims)
    expect(commitsIn(store.file) - before).toBe(1)
    await node.provider.settle(claims.map((each) => reply(each, '1')))
    expect(commitsIn(store.file) - before).toBe(2)
  })

  test('of a client are bounded by their number, and go with it', async () => {
    const store = createStore()
    const node = await store.open()
    const [ann, bob] = [await node.initialise(initialise('ann')), await node.initialise(initialise('bob'))]
    for (const client of [ann, bob]) await settle(node, client, 100, 1000)
    expect(claimsIn(store)).toEqual({ claims: 64, bytes: 64_000, kept: 64_000, counted: 64_000 })
    await node.append(remove('ann', ann.generation))
    expect(claimsIn(store)).toMatchObject({ claims: MAX_CLAIMS_PER_CLIENT, counted: 32_000 })
    await node.append(stop('bob'))
    expect(claimsIn(store)).toEqual({ claims: 0, bytes: 0, kept: 0, counted: 0 })
  })

  test('are forgotten by sweeps when their time is over', async () => {
    const store = createStore()
    const node = await store.open()
    await node.sweep()
    for (let index = 0; index < 40; index += 1) {
      const client = await node.initialise(initialise(`client-${index}`))
      const keys = Array.from({ length: 30 }, (_, key) => `key ${key}`)
      await node.claim(...keys.map((key) => claim(client, key, 'run', { seconds: 15 })))
    }
    expect(claimsIn(store).claims).toBe(1200)
    for (let passed = 0; passed < 20; passed += 10) {
      store.nowMs += 10_000
      await node.sweep()
    }
    expect(claimsIn(store)).toEqual({ claims: 0, bytes: 0, kept: 0, counted: 0 })
  })

  test('lose the oldest of their replies beyond 16 MiB of them, and say that they do not know', async () => {
    const store = createStore()
    const node = await store.open({ durability: 'normal' })
    const [ann, bob] = [await node.initialise(initialise('ann')), await node.initialise(initialise('bob'))]
    await settle(node, ann, 20, MIB / 2)
    await settle(node, bob, 20, MIB / 2)
    expect(claimsIn(store)).toEqual({ claims: 40, bytes: 16 * MIB, kept: 16 * MIB, counted: 16 * MIB })
    const outcomes = await node.claim(
      ...Array.from({ length: 20 }, (_, index) => claim(ann, `key ${index}`, 'run 2')),
    )
    expect(outcomes.slice(0, 8)).toEqual(Array.from({ length: 8 }, () => 'unknown'))
    expect(outcomes.slice(8).every((outcome) => typeof outcome === 'object')).toBe(true)
    // Whose reply was dropped is not run again, not even by itself.
    expect(await node.claim(claim(ann, 'key 0', 'run 1'))).toEqual(['unknown'])
  })
})
