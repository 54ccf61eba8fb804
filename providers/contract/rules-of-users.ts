import assert from 'node:assert/strict'
import type { InitialiseOperation } from '../../lib/comet-state-provider.ts'
import { initialiseAs, remove, stopTopics } from './operations.ts'
import type { Rule } from './rule.ts'

const REFUSED = 'COMET_USER_HAS_TOO_MANY_CLIENTS'

export function rulesOfUsers(rule: Rule): void {
  rule('No user has more than maxClientsPerUser', async ({ open }) => {
    const [here, there] = [await open(), await open()]
    const { generation } = await here.initialise(clientOf('user', 'ann-1'))
    await here.append(clientOf('user', 'ann-2'), clientOf('User', 'bob-1'), clientOf('user ', 'eve-1'))
    const told = (await here.told()).length
    for (const node of [here, there]) assert.equal(await node.refusal(clientOf('user', 'ann-3')), REFUSED)
    assert.equal((await there.told()).length, told)
    await there.append(remove('ann-1', generation), clientOf('user', 'ann-4'))
    assert.equal(await here.refusal(clientOf('user', 'ann-5')), REFUSED)
    await here.append(stopTopics(['u:user']), clientOf('user', 'ann-6'), clientOf('user', 'ann-7'))
    assert.equal(await there.refusal(clientOf('user', 'ann-8')), REFUSED)
  })

  rule('Clients without a user are no user', async ({ open }) => {
    const node = await open()
    for (const token of ['ann', 'bob', 'eve']) {
      await node.append(initialiseAs(token, {}, { maxClientsPerUser: 1 }))
    }
    for (const name of ['undefined', 'null']) {
      await node.append(initialiseAs(`of '${name}'`, { userId: name }, { maxClientsPerUser: 1 }))
    }
  })

  rule(
    'A token in use is refused before a limit is, and the limit of all before that of a user',
    async ({ open }) => {
      const node = await open()
      const limits = { maxClients: 1, maxClientsPerUser: 1 }
      await node.append(initialiseAs('ann', { userId: 'user' }, limits))
      const refusalOf = (token: string, more: Partial<InitialiseOperation>) => {
        return node.refusal(initialiseAs(token, { userId: 'user' }, { ...limits, ...more }))
      }
      assert.equal(await refusalOf('ann', {}), 'COMET_CLIENT_ALREADY_EXISTS')
      assert.equal(await refusalOf('bob', {}), 'COMET_TOO_MANY_CLIENTS')
      assert.equal(await refusalOf('bob', { maxClients: 2 }), REFUSED)
    },
  )

  rule(
    'Of two nodes that initialise the last client allowed to a user at once, one succeeds',
    async ({ open }) => {
      const nodes = [await open(), await open()]
      for (let round = 0; round < 10; round += 1) {
        const outcomes = await Promise.all(
          nodes.map(({ provider }, index) => {
            const more = { maxClientsPerUser: round + 1 }
            return provider.append([initialiseAs(`client-${round}-${index}`, { userId: 'user' }, more)])
          }),
        )
        assert.equal(outcomes.flat().filter((outcome) => 'id' in outcome).length, 1)
      }
    },
  )
}

/** A client of a user who may have two. */
function clientOf(userId: string, publicToken: string): InitialiseOperation {
  return initialiseAs(publicToken, { userId }, { maxClientsPerUser: 2 })
}
