import assert from 'node:assert/strict'
import type { Entry } from '../../lib/comet-state-provider.ts'
import { EVERYBODY, groupTopic } from '../../lib/topics.ts'
import { CallContext } from './call-context.ts'
import { explanations } from './explanations.ts'
import { goesOn } from './goes-on.ts'
import { Model } from './model.ts'
import type { ProviderNode } from './provider-node.ts'
import { ProviderNodes } from './provider-nodes.ts'
import type { ProviderStorage } from './provider-storage.ts'
import { CLIENTS, GROUPS } from './random-names.ts'
import { recovered } from './recovered.ts'
import { type StartedCall, startCall } from './started-call.ts'
import type { PlannedCall, Step } from './steps.ts'
import { eventually, turns } from './waiting.ts'

const LISTED = [[EVERYBODY], ...GROUPS.map((group) => [groupTopic(group)])]

/** Does the steps with two nodes over a fresh store and with the model, and fails where they differ. */
export async function runHistory(
  steps: readonly Step[],
  storage: ProviderStorage,
  settleSeconds: number,
): Promise<void> {
  const opened = new ProviderNodes(storage, settleSeconds)
  try {
    const nodes = { pair: [await opened.open(), await opened.open()], witness: await opened.open() }
    await new History(opened, nodes).run(steps)
    opened.assertSound()
  } finally {
    await opened.dispose()
  }
}

/** Two nodes that are called, and one that only listens: it tells what has come into the log. */
interface Nodes {
  pair: ProviderNode[]
  witness: ProviderNode
}

class History {
  readonly #opened: ProviderNodes
  readonly #nodes: Nodes
  readonly #epoch: string
  readonly #base: number
  /** All that the store may be, after what was seen of it. Never empty. */
  #models: readonly Model[] = [new Model()]
  #log: readonly Entry[] = []

  constructor(opened: ProviderNodes, nodes: Nodes) {
    const { epoch, head } = nodes.witness.listener.log
    this.#opened = opened
    this.#nodes = nodes
    this.#epoch = epoch
    this.#base = head
  }

  async run(steps: readonly Step[]): Promise<void> {
    await this.#do({ step: 'call', calls: [{ node: 0, call: 'sweep' }] })
    for (const step of steps) if (!(await this.#do(step))) return
    for (const node of this.#nodes.pair) assert.deepEqual(await node.told(), this.#log)
    assert.deepEqual((await this.#opened.open()).listener.log.entries, this.#log)
    for (const topics of LISTED) {
      const expected = this.#models[0]!.publicTokens(topics).join()
      const listsAll = async () => (await this.#nodes.witness.listed(topics)).join() === expected
      await eventually(`getClients lists ${expected} for ${topics}`, listsAll)
    }
  }

  /** False if the store has begun a new life of the log, of which the model knows nothing. */
  async #do(step: Step): Promise<boolean> {
    const { pair } = this.#nodes
    switch (step.step) {
      case 'call':
        await this.#call(step.calls)
        return true
      case 'crash':
        return this.#crash(step)
      case 'interrupt':
        return this.#interrupt(step)
      case 'open':
        await this.#openAmidCalls(step)
        return true
      case 'catch up':
        assert.deepEqual(await pair[step.node]!.told(), this.#log)
        return true
      case 'reopen':
        await pair[step.node]!.provider.close()
        pair[step.node] = await this.#opened.open()
        assert.deepEqual(pair[step.node]!.listener.log.entries, this.#log)
        return true
      case 'restart':
        await this.#opened.closeAll()
        await this.#pass(step.seconds)
        return this.#restart()
      case 'pass':
        await this.#pass(step.seconds)
        return true
    }
  }

  async #pass(seconds: number): Promise<void> {
    for (const model of this.#models) model.pass(seconds)
    await this.#opened.pass(seconds)
  }

  async #call(planned: readonly PlannedCall[]): Promise<void> {
    const calls = this.#start(planned)
    await Promise.all(calls.map(({ ended }) => ended))
    for (const call of calls) call.assertAnswered()
    await this.#explain(calls)
    await this.#narrowDown()
  }

  async #openAmidCalls({ node, turns: count, calls }: Step & { step: 'open' }): Promise<void> {
    const { pair } = this.#nodes
    const calling = turns(count).then(() => this.#call(calls))
    const [opened] = await Promise.all([this.#opened.open(), calling])
    assert.deepEqual(await opened.told(), this.#log)
    await pair[node]!.provider.close()
    pair[node] = opened
  }

  async #crash({ who, turns: count, calls: planned }: Step & { step: 'crash' }): Promise<boolean> {
    const { pair, witness } = this.#nodes
    const calls = this.#start(planned)
    await turns(count)
    if (who === 'all') {
      await Promise.all([...pair, witness].map(this.#opened.crash))
      if (!(await this.#restart())) return false
    } else {
      await this.#opened.crash(pair[who]!)
      const others = calls.filter((_, index) => planned[index]!.node !== who)
      await Promise.all(others.map(({ ended }) => ended))
      for (const call of others) call.assertAnswered()
      pair[who] = await this.#opened.open()
    }
    await this.#explain(calls)
    await this.#narrowDown()
    return true
  }

  async #interrupt(step: Step & { step: 'interrupt' }): Promise<boolean> {
    const { pair, witness } = this.#nodes
    const interruption = this.#opened.interruptions[step.way]!
    if (step.turns === 0) await interruption.begin()
    const calls = this.#start(step.calls)
    await turns(step.turns)
    if (step.turns > 0) await interruption.begin()
    try {
      for (const { ended } of calls) await this.#opened.settled(`a call while ${interruption.name}`, ended)
    } finally {
      await interruption.end()
    }
    const { settleSeconds } = this.#opened
    for (const node of [...pair, witness]) {
      if (!(await recovered(node, this.#epoch, settleSeconds))) return false
    }
    await this.#explain(calls)
    await this.#narrowDown()
    return true
  }

  /** Opens all anew, when all are closed or dead. */
  async #restart(): Promise<boolean> {
    const before = this.#nodes.witness.listener
    this.#nodes.witness = await this.#opened.open()
    this.#nodes.pair = [await this.#opened.open(), await this.#opened.open()]
    return goesOn(before, this.#nodes.witness)
  }

  #start(planned: readonly PlannedCall[]): StartedCall[] {
    const head = this.#log.at(-1)?.id ?? this.#base
    const context = new CallContext(this.#models[0]!, this.#epoch, head)
    return planned.map((call) => startCall(call, this.#nodes.pair[call.node]!.provider, context))
  }

  /** Finds out what the store can be now. Fails if no order of the calls explains what was answered and stored. */
  async #explain(calls: readonly StartedCall[]): Promise<void> {
    const entries = await this.#nodes.witness.told()
    const added = entries.slice(this.#log.length)
    const isKept = this.#log.every((entry, index) => entry === entries[index])
    if (!isKept) assert.deepEqual(entries.slice(0, this.#log.length), this.#log)
    const acts = calls.map((call) => call.acts({ entries, added }))
    const models = explanations(this.#models, acts, added)
    if (models.length === 0) {
      const lines = [...calls.map(String), `and these entries came: ${JSON.stringify(added)}`]
      assert.fail(`The model cannot explain this in any order:\n  ${lines.join('\n  ')}`)
    }
    for (const model of models) model.abandonStops()
    this.#models = models
    this.#log = entries
  }

  /** Where several models are possible, what can be read leaves those that are so. */
  async #narrowDown(): Promise<void> {
    if (this.#models.length === 1) return
    for (const publicToken of CLIENTS) {
      const calls = this.#start([{ node: 0, call: 'read', publicToken, earlier: false }])
      await calls[0]!.ended
      calls[0]!.assertAnswered()
      await this.#explain(calls)
    }
  }
}
