import { afterAll, afterEach, describe, expect } from '@jest/globals'
import { hashOf, initialise, initialiseAs, send, stopTopics } from '../../providers/contract/operations.ts'
import { argumentsOf } from '../../providers/redis/operation-fields.ts'
import { SCRIPTS } from '../../providers/redis/scripts.ts'
import { testWithRedis as test } from '../support/redis/redis-available.ts'
import { createStore, disposeSharedServer, disposeStores } from '../support/redis/redis-store.ts'
import { ScriptCaller } from '../support/redis/script-caller.ts'

/** While a stop is carried out in steps, those whom it has hit are there still, and as good as gone. */

afterEach(disposeStores)
afterAll(disposeSharedServer)

/** A channel of 150 clients of a user, all of whom are stopped: who began it took the first step, and died. */
async function openStopped() {
  const store = await createStore()
  const node = await store.open()
  const tokens = Array.from({ length: 150 }, (_, index) => `client-${index}`)
  await node.append(...tokens.map((token) => initialiseAs(token, { userId: 'ann' })))
  const reply = await new ScriptCaller(store).call(SCRIPTS.append, {}, ...argumentsOf(stopTopics(['u:ann'])))
  const [, , outcomes] = reply as [string, number, [[kind: string, id: number, clients: unknown[]]]]
  const left = tokens.length - outcomes[0][2].length
  expect(left).toBe(50)
  return {
    node,
    tokens,
    /** How many are told of by sweeps, until all are. */
    async told() {
      const names: string[] = []
      while (names.length < left) names.push(...(await node.sweep()))
      return new Set(names).size
    },
  }
}

describe('Whom a stop has hit that is not carried out wholly', () => {
  test('does not count against the limit of its user', async () => {
    const { node, told } = await openStopped()
    await node.initialise(initialiseAs('new', { userId: 'ann' }, { maxClientsPerUser: 1 }))
    expect(await node.refusal(initialiseAs('newer', { userId: 'ann' }, { maxClientsPerUser: 1 }))).toBe(
      'COMET_USER_HAS_TOO_MANY_CLIENTS',
    )
    expect(await told()).toBe(50)
    expect(await node.listed()).toEqual(['new'])
  })

  test('makes room for others at once, and is told of all the same', async () => {
    const { node, told } = await openStopped()
    await node.initialise(initialise('new', { maxClients: 1 }))
    expect(await told()).toBe(50)
    expect(await node.listed()).toEqual(['new'])
  })

  test('gives up its public token to another one, and is told of all the same', async () => {
    const { node, tokens, told } = await openStopped()
    const listed = await node.listed()
    expect(listed).toEqual([])
    const again = tokens.map((token) => initialise(token, { privateTokenHash: hashOf(`new ${token}`) }))
    await node.append(...again)
    expect(await told()).toBe(50)
    expect(await node.listed()).toEqual([...tokens].sort())
  })

  test('gets nothing, is not found, and cannot be renewed', async () => {
    const { node, tokens } = await openStopped()
    for (const token of tokens) expect(await node.provider.getClient(hashOf(token))).toBe('stopped')
    for (const token of tokens) {
      expect(await node.refusal(send('M', { receiver: token }))).toBe('COMET_CLIENT_DOES_NOT_EXIST')
    }
  })
})
