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
    /** A moment of the server's clock, in milliseconds, that is behind all that was done and before all that will be. */
    async between() {
      const now = async () => {
        const [seconds, micros] = (await store.server.command('TIME')) as [string, string]
        return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000)
      }
      const before = await now()
      while ((await now()) <= before + 1);
      return before + 1
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
    const seen = { epoch: 'elsewhere', head: AHEAD, at: 0 }
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
    const { position, beginLife, between } = await openChannel()
    const { head } = await position({})
    const before = await between()
    await beginLife('life-2')
    const after = await between()
    const ask = async (epoch: string, seenHead: number, at: number) =>
      (await position({ epoch, seen: { epoch: 'life-1', head: seenHead, at } })).epoch
    expect(await ask('all was known', head, after)).toBe('life-2')
    expect(await ask('it was told before', head + 1, before)).toBe('life-2')
    expect(await ask('life-3', head + 1, after)).toBe('life-3')
    expect(await ask('it was counted', head + 1, after)).toBe('life-3')
    expect(await ask('life-4', head + 2, after)).toBe('life-4')
  })

  test('is noticed also if nobody here has ever heard of it, as of a server that was restarted meanwhile', async () => {
    const { position, between } = await openChannel()
    const after = await between()
    const ask = async (epoch: string, head: number, at: number) =>
      (await position({ epoch, seen: { epoch: 'elsewhere', head, at } })).epoch
    expect(await ask('it was over before', 5, after - 60_000)).toBe('life-1')
    expect(await ask('life-2', 5, after)).toBe('life-2')
    expect(await ask('it was counted', 5, await between())).toBe('life-2')
    expect(await ask('life-3', 6, await between())).toBe('life-3')
  })

  test('is known if it is one of the last sixteen', async () => {
    const { beginLife, position, between } = await openChannel()
    for (let life = 2; life <= 10; life++) await beginLife(`life-${life}`)
    const early = await between()
    for (let life = 11; life <= 20; life++) await beginLife(`life-${life}`)
    const late = await between()
    const ask = async (seen: string, epoch: string, at: number) =>
      (await position({ epoch, seen: { epoch: seen, head: AHEAD, at } })).epoch
    // By when it came nobody can tell any more whether it came behind its end.
    expect(await ask('life-3', 'it is forgotten', early)).toBe('life-20')
    expect(await ask('life-4', 'life-21', early)).toBe('life-21')
    expect(await ask('life-19', 'life-22', late)).toBe('life-22')
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

  test('is known for much longer than somebody waits for its answer, and then forgotten by a sweep', async () => {
    const { store, scripts } = await openChannel()
    const append = () => scripts.call(SCRIPTS.append, { number: 1 }, ...argumentsOf(send()))
    const answer = await append()
    const sweepAfter = async (ms: number) => {
      for (let passed = 0; passed < ms; passed += 5000) {
        store.nowMs += 5000
        await scripts.call(SCRIPTS.sweep, {}, 'first')
      }
    }
    await sweepAfter(9 * 60_000)
    expect(await append()).toEqual(answer)
    await sweepAfter(2 * 60_000)
    expect(await append()).not.toEqual(answer)
  })
})
