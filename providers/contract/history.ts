import assert from 'node:assert/strict'
import type { LeaseRenewal, Operation } from '../../lib/comet-state-provider.ts'
import { Model } from './model.ts'
import type { Bearer } from './model-client.ts'
import type { ProviderNode } from './provider-node.ts'
import { ProviderNodes } from './provider-nodes.ts'
import type { ProviderStorage } from './provider-storage.ts'
import type { PlannedOperation, PlannedRenewal, Step } from './steps.ts'

/** Does the steps with two nodes over a fresh store and with the model, and fails where they differ. */
export async function runHistory(steps: readonly Step[], storage: ProviderStorage): Promise<void> {
  const nodes = new ProviderNodes(storage)
  try {
    const history = new History(nodes, [await nodes.open(), await nodes.open()])
    await history.run(steps)
    nodes.assertSound()
  } finally {
    await nodes.close()
  }
}

class History {
  readonly #opened: ProviderNodes
  readonly #nodes: ProviderNode[]
  readonly #model: Model
  readonly #epoch: string

  constructor(opened: ProviderNodes, nodes: ProviderNode[]) {
    const { epoch, head } = nodes[0]!.listener.log
    this.#opened = opened
    this.#nodes = nodes
    this.#model = new Model(head)
    this.#epoch = epoch
  }

  async run(steps: readonly Step[]): Promise<void> {
    await this.#sweep(this.#nodes[0]!)
    for (const step of steps) await this.#do(step)
    const told = await this.#nodes[0]!.told()
    assert.deepEqual(told, this.#model.entries)
    assert.deepEqual(await this.#nodes[1]!.told(), told)
    assert.deepEqual((await this.#opened.open()).listener.log.entries, told)
  }

  async #do(step: Step): Promise<void> {
    if (step.step === 'pass') {
      this.#model.pass(step.seconds)
      return this.#opened.pass(step.seconds)
    }
    const node = this.#nodes[step.node]!
    switch (step.step) {
      case 'append':
        return this.#append(node, step.operations)
      case 'renew':
        return this.#renew(node, step.renewal)
      case 'read':
        return this.#read(node, this.#model.bearerOf(step.publicToken, step.earlier))
      case 'sweep':
        return this.#sweep(node)
      case 'catch up':
        return assert.deepEqual(await node.told(), this.#model.entries)
      case 'reopen':
        await node.provider.close()
        this.#nodes[step.node] = await this.#opened.open()
        return assert.deepEqual(this.#nodes[step.node]!.listener.log.entries, this.#model.entries)
    }
  }

  async #append({ provider }: ProviderNode, planned: readonly PlannedOperation[]): Promise<void> {
    const model = this.#model
    const operations = planned.map((operation): Operation => {
      if (operation.kind !== 'remove') return operation
      const { kind, publicToken, earlier } = operation
      return { kind, publicToken, generation: model.bearerOf(publicToken, earlier).generation }
    })
    const outcomes = await provider.append(operations)
    assert.equal(outcomes.length, operations.length)
    for (const [index, operation] of operations.entries()) {
      const outcome = outcomes[index]!
      const predicted = model.predict(operation)
      if (predicted !== 'new') {
        const told = 'id' in outcome ? { id: outcome.id } : outcome
        assert.deepEqual(told, predicted, `${operation.kind} was answered with something else`)
        continue
      }
      assert.ok('id' in outcome, `${operation.kind} was refused: ${JSON.stringify(outcome)}`)
      assert.ok(outcome.id > model.head, `${outcome.id} was given after ${model.head}`)
      assert.equal(outcome.epoch, this.#epoch)
      const stopped = model.apply(operation, outcome.id)
      assert.deepEqual((outcome.stopped ?? []).map(({ publicToken }) => publicToken).sort(), stopped.sort())
    }
  }

  async #renew(node: ProviderNode, planned: PlannedRenewal): Promise<void> {
    const { earlier, acknowledgedBelowHead, ...asked } = planned
    const renewal: LeaseRenewal = {
      ...asked,
      generation: this.#model.bearerOf(asked.publicToken, earlier).generation,
      ...(acknowledgedBelowHead !== undefined && {
        acknowledged: {
          epoch: this.#epoch,
          messageId: Math.max(0, this.#model.head - acknowledgedBelowHead),
        },
      }),
    }
    assert.equal(
      await node.renew(renewal),
      this.#model.renew(renewal),
      'the renewal was answered with something else',
    )
  }

  async #read(node: ProviderNode, { privateTokenHash }: Bearer): Promise<void> {
    const expected = this.#model.clientOf(privateTokenHash)
    if (typeof expected !== 'object') {
      assert.equal(await node.provider.getClient(privateTokenHash), expected)
      return
    }
    const { client, holder, acknowledged, asOf } = await node.record(privateTokenHash)
    assert.deepEqual(
      [client.publicToken, client.generation, holder, acknowledged?.messageId],
      [expected.publicToken, expected.generation, expected.holder, expected.acknowledgedId],
    )
    assert.ok(expected.generation <= asOf && asOf <= this.#model.head, `as of ${asOf}`)
  }

  async #sweep(node: ProviderNode): Promise<void> {
    const expected = this.#model.sweep().map(({ publicToken, goodbye }) => {
      return `${publicToken}: ${goodbye ? 'goodbye' : 'idle'}`
    })
    const removed = await node.provider.removeExpired()
    assert.deepEqual(
      removed.map(({ client, reason }) => `${client.publicToken}: ${reason}`).sort(),
      expected.sort(),
      'the sweep removed others',
    )
    const added = (await node.told()).slice(this.#model.entries.length)
    assert.equal(added.length, removed.length, 'each removed client has one remove entry')
    for (const entry of added) {
      assert.ok(entry.kind === 'remove' && this.#model.clients.has(entry.publicToken), JSON.stringify(entry))
      this.#model.remove(entry.publicToken, entry.id)
    }
    assert.deepEqual(node.listener.told, this.#model.entries)
  }
}
