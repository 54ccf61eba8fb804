import assert from 'node:assert/strict'
import { hashOf, initialise, remove, send } from './operations.ts'
import type { ProviderNode } from './provider-node.ts'
import type { Rule } from './rule.ts'

const ROUNDS = 20

export function rulesOfTwoNodes(rule: Rule): void {
  rule('Two nodes are told the same entries in the same order', async ({ open }) => {
    const nodes = [await open(), await open()]
    const ids: number[] = []
    for (let round = 0; round < ROUNDS; round += 1) {
      const node = nodes[round % 2]!
      for (const { id } of await node.append(send('Chat'), initialise(`client-${round}`))) ids.push(id)
    }
    const [here, there] = await Promise.all(nodes.map((node) => node.told()))
    assert.deepEqual(
      here!.map(({ id }) => id),
      ids,
    )
    assert.deepEqual(there, here)
  })

  rule(
    'Appends that two nodes make at once are in one order for both, and none is lost',
    async ({ open }) => {
      const [a, b] = [await open(), await open()]
      const appended = await Promise.all(
        Array.from({ length: 2 * ROUNDS }, (_, index) =>
          (index % 2 === 0 ? a : b).append(send(`One of ${index}`), send(`Two of ${index}`)),
        ),
      )
      const ids = appended.flat().map(({ id }) => id)
      const told = await a.told()
      assert.deepEqual(
        told.map(({ id }) => id),
        ids.toSorted((x, y) => x - y),
      )
      assert.deepEqual(await b.told(), told)
      for (const [first, second] of appended) assert.ok(first!.id < second!.id, 'in the order of operations')
    },
  )

  rule('Nothing appears below an id that was already fed', async ({ open }) => {
    const nodes = [await open(), await open()]
    for (let round = 0; round < ROUNDS; round += 1) {
      await Promise.all([
        nodes[0]!.append(send(), send()),
        nodes[1]!.append(send()),
        nodes[1]!.provider.catchUp(),
      ])
    }
    for (const node of nodes) {
      const ids = (await node.told()).map(({ id }) => id)
      assert.equal(ids.length, 3 * ROUNDS)
      assert.deepEqual(
        ids,
        ids.toSorted((x, y) => x - y),
      )
    }
  })

  rule('Of two nodes that initialise with one token at once, one succeeds', async ({ open }) => {
    const [a, b] = [await open(), await open()]
    for (let round = 0; round < ROUNDS; round += 1) {
      const token = `client-${round}`
      assert.equal(
        await successes([a, b], () => initialise(token)),
        1,
        'with the same public and private token',
      )
      const other = `${token}-other`
      const samePublic = [initialise(other), initialise(other, { privateTokenHash: hashOf(`${other}-2`) })]
      assert.equal(await successes([a, b], (index) => samePublic[index]!), 1, 'with the same public token')
      const hash = hashOf(`${token}-shared`)
      const samePrivate = (index: number) => initialise(`${token}-${index}`, { privateTokenHash: hash })
      assert.equal(await successes([a, b], samePrivate), 1, 'with the same private token')
    }
  })

  rule('Of two nodes that initialise the last client allowed at once, one succeeds', async ({ open }) => {
    const [a, b] = [await open(), await open()]
    for (let round = 0; round < ROUNDS; round += 1) {
      const maxClients = round + 1
      const last = (index: number) => initialise(`client-${round}-${index}`, { maxClients })
      assert.equal(await successes([a, b], last), 1)
    }
  })

  rule('Of two nodes that remove a client at once, one succeeds', async ({ open }) => {
    const [a, b] = [await open(), await open()]
    for (let round = 0; round < ROUNDS; round += 1) {
      const { generation } = await a.initialise(initialise('ann'))
      assert.equal(await successes([a, b], () => remove('ann', generation)), 1)
    }
  })
}

/** How many of the nodes succeed when each appends its operation at once. */
async function successes(
  nodes: readonly ProviderNode[],
  operationOf: (index: number) => Parameters<ProviderNode['appendOne']>[0],
): Promise<number> {
  const outcomes = await Promise.all(
    nodes.map(({ provider }, index) => provider.append([operationOf(index)])),
  )
  return outcomes.flat().filter((outcome) => 'id' in outcome).length
}
