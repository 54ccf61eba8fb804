import { afterAll, afterEach, describe, expect } from '@jest/globals'
import { send } from '../../providers/contract/operations.ts'
import { argumentsOf } from '../../providers/redis/operation-fields.ts'
import { SCRIPTS } from '../../providers/redis/scripts.ts'
import { testWithRedis as test } from '../support/redis/redis-available.ts'
import { createStore, disposeSharedServer, disposeStores } from '../support/redis/redis-store.ts'
import { type CallHeader, ScriptCaller } from '../support/redis/script-caller.ts'

/** Of what is asked at present, and of all that a server keeps to know what it was asked before. */

afterEach(disposeStores)
afterAll(disposeSharedServer)

/** Above all ids that the clock gives during a test. */
const AHEAD = Date.UTC(2100, 0) * 1000

async function openChannel() {
  const store = await createStore()
  const scripts = new ScriptCaller(store)
  const row = `{${store.prefix}:chat}:channel`
  const position = async (header: CallHeader) => {
    const [epoch, head] = (await scripts.call(SCRIPTS.position, header)) as [string, number]
    return { epoch, head }
  }
  await position({ epoch: 'life-1' })
  return {
    store,
    scripts,
    position,
    set: (...fields: string[]) => store.server.command('HSET', row, ...fields),
    /** As a restart does. */
    async beginLife(epoch: string, more: CallHeader = {}) {
      await store.server.command('HSET', row, 'lineage', 'another')
      return position({ epoch, ...more })
    },
    /** So that what comes from now on comes later. */
    async waitForClock() {
      const now = async () => Number(((await store.server.command('TIME')) as string[])[1])
      const before = Math.floor((await now()) / 1000)
      while (Math.floor((await now()) / 1000) === before);
    },
  }
}

describe('The ids of a new life of the log', () => {
  test('are above all of the life before, also if the clock was set back since', async () => {
    const { set, beginLife } = await openChannel()
    await set('head', String(AHEAD))
    expect(await beginLife('life-2')).toEqual({ epoch: 'life-2', head: AHEAD + 1 })
  })

  test('are above all that whoever asks has seen, of another server', async () => {
    const { beginLife } = await openChannel()
    const seen = { epoch: 'elsewhere', head: AHEAD, agoMs: 0 }
    expect(await beginLife('life-2', { seen })).toEqual({ epoch: 'life-2', head: AHEAD + 1 })
  })

  test('are above the clock of the server, in microseconds', async () => {
    const { beginLife } = await openChannel()
    const before = Date.now() * 1000
    expect((await beginLife('life-2')).head).toBeGreaterThanOrEqual(before)
  })
})

describe('A life that ended here and went on elsewhere', () => {
  test('is noticed once for each message of it, and only for those sent since it ended here', async () => {
    const { position, beginLife, waitForClock } = await openChannel()
    const { head } = await position({})
    await beginLife('life-2')
    await waitForClock()
    const ask = async (epoch: string, seenHead: number, agoMs: number) =>
      (await position({ epoch, seen: { epoch: 'life-1', head: seenHead, agoMs } })).epoch
    expect(await ask('all was known', head, 0)).toBe('life-2')
    expect(await ask('it was told before', head + 1, 60_000)).toBe('life-2')
    expect(await ask('life-3', head + 1, 0)).toBe('life-3')
    expect(await ask('it was counted', head + 1, 0)).toBe('life-3')
    expect(await ask('life-4', head + 2, 0)).toBe('life-4')
  })

  test('is known if it is one of the last sixteen', async () => {
    const { beginLife, position, waitForClock } = await openChannel()
    for (let life = 2; life <= 20; life++) await beginLife(`life-${life}`)
    await waitForClock()
    const ask = async (seen: string, epoch: string) =>
      (await position({ epoch, seen: { epoch: seen, head: AHEAD, agoMs: 0 } })).epoch
    expect(await ask('life-3', 'it is forgotten')).toBe('life-20')
    expect(await ask('life-4', 'life-21')).toBe('life-21')
    expect(await ask('life-19', 'life-22')).toBe('life-22')
  })
})

describe('A call of a lane', () => {
  test('that comes behind its successor is over: nothing of it is done', async () => {
    const { scripts, position } = await openChannel()
    const append = (number: number) => scripts.call(SCRIPTS.append, { number }, ...argumentsOf(send()))
    await append(1)
    const answer = await append(3)
    const before = await position({})
    await expect(append(2)).rejects.toThrow(/^COMETLATE/)
    expect(await append(3)).toEqual(answer)
    expect(await position({})).toEqual(before)
  })

  test('is known for much longer than somebody waits for its answer', async () => {
    const { store, scripts } = await openChannel()
    await scripts.call(SCRIPTS.append, { number: 1 }, ...argumentsOf(send()))
    const key = `{${store.prefix}:chat}:call:${scripts.lane}`
    expect(await store.server.command('PTTL', key)).toBeGreaterThan(5 * 60_000)
  })
})
