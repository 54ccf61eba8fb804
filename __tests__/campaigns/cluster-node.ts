import { setTimeout as pause } from 'node:timers/promises'
import type { CampaignChild } from './campaign-child.ts'
import type { KillFact, MessageFact, RunFact } from './cluster-facts.ts'
import type { ClusterOrder, ClusterSaid, Draft, ListedClient, NodeEnd, OpenOrder } from './cluster-orders.ts'
import { machineMs } from './machine-clock.ts'

const SEND_AGAIN_MS = 200

/** What the nodes of a cluster have said, all together. */
export class NodeFacts {
  /** By their numbers. */
  readonly messages = new Map<number, MessageFact>()
  /** Messages of nodes that are gone of which it is not known whether they were sent. */
  readonly inDoubt = new Map<number, Draft>()
  readonly runs: RunFact[] = []
  readonly kills: KillFact[] = []
  /** How often each client was told of as removed. */
  readonly removals = new Map<string, number>()
  readonly troubles: string[] = []

  noteSending(drafts: readonly Draft[], atMs: number): void {
    for (const [number, audience] of drafts)
      if (!this.messages.has(number)) this.messages.set(number, { audience, beganMs: atMs })
  }

  noteSent(sent: readonly (readonly [number, number])[], atMs: number): void {
    for (const [number, id] of sent)
      this.messages.set(number, { ...this.messages.get(number)!, endedMs: atMs, id })
  }
}

/** The process of a node, from when it is told to open the channel. */
export class ClusterNode {
  readonly name: string
  readonly port: number
  readonly #child: CampaignChild<ClusterSaid>
  readonly #facts: NodeFacts
  /** What it has begun to send. */
  readonly #sending = new Map<number, Draft>()
  #listens = false
  #isSilent = false
  #clients: readonly ListedClient[] | undefined
  #end: NodeEnd | undefined

  constructor(child: CampaignChild<ClusterSaid>, order: OpenOrder, facts: NodeFacts) {
    this.name = order.name
    this.port = order.port
    this.#child = child
    this.#facts = facts
    child.listen((said) => this.#hear(said))
    this.tell({ open: order })
  }

  tell(order: ClusterOrder): void {
    this.#child.tell(order)
  }

  listens(): Promise<void> {
    return this.#child.until(() => this.#listens)
  }

  /** Sends what is in doubt again, under the same keys. */
  resolveDoubts(): void {
    const drafts = [...this.#facts.inDoubt.values()]
    this.#facts.inDoubt.clear()
    for (const draft of drafts) this.#sending.set(draft[0], draft)
    if (drafts.length > 0) this.tell({ send: drafts })
  }

  /** Resolves when it sends nothing any more. */
  async silence(): Promise<void> {
    this.tell({ silence: true })
    await this.#child.until(() => this.#isSilent)
    // Its store may have been away.
    while (this.#sending.size > 0) {
      this.tell({ send: [...this.#sending.values()] })
      await pause(SEND_AGAIN_MS)
    }
  }

  /** The clients that it says are there. */
  async list(): Promise<readonly ListedClient[]> {
    this.#clients = undefined
    this.tell({ list: true })
    await this.#child.until(() => this.#clients !== undefined)
    return this.#clients!
  }

  /** Resolves when it has gone. */
  async close(overSeconds: number): Promise<NodeEnd> {
    this.tell({ close: { overSeconds } })
    await this.#child.until(() => this.#end !== undefined)
    const exit = await this.#child.ended
    this.#leaveInDoubt()
    if (exit !== 0) this.#facts.troubles.push(`${this.name} ended with ${exit}: ${this.#child.errors}`)
    return this.#end!
  }

  async kill(): Promise<void> {
    this.#facts.kills.push({ node: this.name, atMs: machineMs() })
    await this.end()
  }

  /** The same, when nothing hangs on it any more. Without effect if it has gone. */
  async end(): Promise<void> {
    if (this.#end) return
    const problems = await this.#child.kill()
    this.#leaveInDoubt()
    this.#facts.troubles.push(...problems.map(({ text }) => `${this.name}: ${text}`))
  }

  #leaveInDoubt(): void {
    for (const [number, draft] of this.#sending) this.#facts.inDoubt.set(number, draft)
  }

  #hear(said: ClusterSaid): void {
    const facts = this.#facts
    if ('listens' in said) this.#listens = true
    else if ('sending' in said) {
      facts.noteSending(said.sending, said.atMs)
      for (const draft of said.sending) this.#sending.set(draft[0], draft)
    } else if ('sent' in said) {
      facts.noteSent(said.sent, said.atMs)
      for (const number of [...said.refused, ...said.sent.map(([number]) => number)])
        this.#sending.delete(number)
    } else if ('silent' in said) this.#isSilent = true
    else if ('handling' in said) {
      const [sender, number] = said.handling
      facts.runs.push({ sender, number, node: this.name, atMs: said.atMs })
    } else if ('removed' in said)
      facts.removals.set(said.removed, (facts.removals.get(said.removed) ?? 0) + 1)
    else if ('clients' in said) this.#clients = said.clients
    else if ('closed' in said) this.#end = said.closed
    else facts.troubles.push(`${this.name}: ${said.trouble}`)
  }
}
