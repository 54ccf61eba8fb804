import assert from 'node:assert/strict'
import { claim, hashOf, initialise, renewal, reply, send } from './operations.ts'
import type { ProviderNode } from './provider-node.ts'
import type { ProviderNodes } from './provider-nodes.ts'
import type { Interruption } from './provider-storage.ts'
import { recovered } from './recovered.ts'
import type { Rule } from './rule.ts'
import { eventually } from './waiting.ts'

/** What is so while the store fails, and afterwards. Each rule is tried with every way that it has. */
export function rulesOfInterruptions(rule: Rule): void {
  rule('While the store fails every call ends, and so does close', async (nodes) => {
    for (const interruption of nodes.interruptions) {
      const { node, other, back } = await openPair(nodes)
      const ann = await node.initialise(initialise(`ann while ${interruption.name}`))
      const unopened = await nodes.create()
      await during(interruption, async () => {
        const { provider } = node
        await Promise.all([
          nodes.settled('append', provider.append([send()])),
          nodes.settled('getClient', provider.getClient(hashOf(ann.publicToken))),
          nodes.settled('renewLeases', provider.renewLeases([renewal(ann)])),
          nodes.settled('removeExpired', provider.removeExpired()),
          nodes.settled('claim', provider.claim([claim(ann, 'k', 'run')])),
          nodes.settled('settle', provider.settle([reply(claim(ann, 'k', 'run'), '1')])),
          nodes.settled('catchUp', provider.catchUp()),
          nodes.settled('open', nodes.reopen(unopened)),
        ])
        const closing = [provider.close(), unopened.provider.close()]
        for (const close of closing) assert.equal((await nodes.settled('close', close)).status, 'fulfilled')
      })
      await back(other)
    }
  })

  rule('After the store has failed all goes on by itself, and nothing is missing', async (nodes) => {
    for (const interruption of nodes.interruptions) {
      const { node, other, back } = await openPair(nodes)
      await node.append(send('Before'))
      await during(interruption, async () => {
        for (const { provider } of [node, other]) await nodes.settled('append', provider.append([send()]))
      })
      if (!(await back(node, other))) continue
      await node.append(send('After'))
      await other.append(send('After'))
      const told = await node.told()
      assert.deepEqual(await other.told(), told)
      assert.deepEqual((await nodes.open()).listener.log.entries, told)
    }
  })

  rule('What is rejected while the store fails is stored wholly or not at all', async (nodes) => {
    for (const [index, interruption] of nodes.interruptions.entries()) {
      const { node, other, back } = await openPair(nodes)
      const name = `client-${index}`
      const operations = [initialise(name), send(name)]
      const { status } = await during(interruption, () => {
        return nodes.settled('append', node.provider.append(operations))
      })
      if (!(await back(node, other))) continue
      const initialised = (await other.told()).filter((entry) => {
        return entry.kind === 'initialise' && entry.publicToken === name
      }).length
      const found = typeof (await other.provider.getClient(hashOf(name))) === 'object'
      assert.equal(initialised, found ? 1 : 0, 'a client is stored with its entry')
      const sent = await idsOf(other, name)
      assert.ok(sent.length <= initialised, 'the second operation is not done without the first')
      if (status === 'fulfilled') assert.equal(sent.length, 1, 'what append resolved for is there')
      await node.append(send('After'))
      await other.append(send('After'))
      assert.deepEqual(await idsOf(other, name), sent, 'nothing is done once it was rejected')
    }
  })

  rule('What is rejected while the store fails, and repeated with its key, is stored once', async (nodes) => {
    for (const [index, interruption] of nodes.interruptions.entries()) {
      const { node, other, back } = await openPair(nodes)
      const name = `key ${index}`
      await during(interruption, () => {
        return nodes.settled('append', node.provider.append([send(name, { key: name })]))
      })
      if (!(await back(node, other))) continue
      const id = await other.appendOne(send(name, { key: name }))
      assert.equal(await node.appendOne(send(name, { key: name })), id)
      assert.deepEqual(await idsOf(node, name), [id])
    }
  })

  rule('Whoever claims a key while the store fails, and claims it again, has it alone', async (nodes) => {
    for (const [index, interruption] of nodes.interruptions.entries()) {
      const { node, other, back } = await openPair(nodes)
      const mine = claim(await node.initialise(initialise(`client-${index}`)), 'k', 'run 1')
      await during(interruption, () => nodes.settled('claim', node.provider.claim([mine])))
      if (!(await back(node, other))) continue
      assert.deepEqual(await node.claim(mine), ['claimed'])
      assert.deepEqual(await other.claim({ ...mine, run: 'run 2' }), ['running'])
      await during(interruption, () => nodes.settled('settle', node.provider.settle([reply(mine, '"done"')])))
      if (!(await back(node, other))) continue
      await node.provider.settle([reply(mine, '"done"')])
      assert.deepEqual(await other.claim({ ...mine, run: 'run 2' }), [{ reply: '"done"' }])
    }
  })

  rule('A node that is cut off says so, and says when it is back', async (nodes) => {
    for (const interruption of nodes.interruptions) {
      if (!interruption.cutsOff) continue
      const { node, other, back } = await openPair(nodes)
      await during(interruption, async () => {
        for (const { provider, listener } of [node, other]) {
          const said = `unavailable is said while ${interruption.name}`
          await eventually(said, () => !listener.isAvailable, nodes.settleSeconds)
          const { status } = await nodes.settled('catchUp', provider.catchUp())
          assert.equal(status, 'rejected', 'who is cut off cannot say that it has caught up')
        }
      })
      await back(node, other)
    }
  })

  rule('A provider that could not open while the store failed opens when it is back', async (nodes) => {
    for (const interruption of nodes.interruptions) {
      const { node, other, back } = await openPair(nodes)
      await node.provider.close()
      await during(interruption, async () => {
        await nodes.settled('open', nodes.reopen(node))
        await nodes.settled('close', node.provider.close())
      })
      await back(other)
      await nodes.reopen(node)
      await node.append(send())
      assert.deepEqual(await node.told(), await other.told())
    }
  })
}

interface Pair {
  readonly node: ProviderNode
  readonly other: ProviderNode
  /** Waits until these are in touch again. False if the store has begun a new life: what was before is gone then. */
  back(...nodes: ProviderNode[]): Promise<boolean>
}

async function openPair(nodes: ProviderNodes): Promise<Pair> {
  const [node, other] = [await nodes.open(), await nodes.open()]
  const { epoch } = node.listener.log
  return {
    node,
    other,
    async back(...expected) {
      const goOn = expected.map((each) => recovered(each, epoch, nodes.settleSeconds))
      return !(await Promise.all(goOn)).includes(false)
    },
  }
}

async function during<T>(interruption: Interruption, work: () => Promise<T>): Promise<T> {
  await interruption.begin()
  try {
    return await work()
  } finally {
    await interruption.end()
  }
}

/** Of the messages that have this name. */
async function idsOf(node: ProviderNode, name: string): Promise<number[]> {
  const told = await node.told()
  return told.filter((entry) => entry.kind === 'message' && entry.name === name).map(({ id }) => id)
}
