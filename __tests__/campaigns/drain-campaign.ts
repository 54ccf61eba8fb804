import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { SeededRandom } from '../../providers/contract/seeded-random.ts'
import { Balancer } from './balancer.ts'
import { CampaignChild } from './campaign-child.ts'
import { isFor } from './drain-audience.ts'
import type { DrainOrder, DrainSaid, DrainToken, NodeEnd } from './drain-child.ts'
import { DrainClient } from './drain-client.ts'
import { checkHistory } from './faults-check.ts'
import { Problems } from './problems.ts'

/** Numbers of messages of one node: a multiple of the slices. */
const NUMBERS_OF_NODE = 1_000_000

const SLOT_MS = 100

/** A slot that is so many times fuller than the mean is a stampede. */
const STAMPEDE = 3

const CATCHING_UP_MS = 60_000
const LOOK_AGAIN_MS = 20

/** How long pages stay between two restarts. */
const STAY_MS = 500

export interface DrainOptions {
  readonly seed: number
  readonly clients: number
  /** One restart after the other: how long each node takes to send its pages away. */
  readonly drains: readonly number[]
  /** How long the balancer goes on sending pages to a node that goes. */
  readonly noticedAfterMs: number
  /** Makes clients forget where they were, to see that it is noticed. */
  readonly losesCursors?: boolean
}

/** How the pages of a node went to the next. */
export interface DrainReport extends NodeEnd {
  readonly overSeconds: number
  readonly arrived: number
  /** How many came to the next node in each tenth of a second. */
  readonly arrivals: readonly number[]
  readonly fullest: number
}

export interface DrainsReport {
  readonly problems: Problems
  readonly clients: number
  readonly messages: number
  readonly deliveries: number
  readonly drains: readonly DrainReport[]
}

/**
 * Whether pages came to a node together: in one slot far more than if they had come evenly over the time.
 *
 * @param overSeconds the time that they could have come in
 */
export function isStampede({ arrived, fullest }: DrainReport, overSeconds: number): boolean {
  return fullest > (STAMPEDE * arrived * SLOT_MS) / (overSeconds * 1000)
}

/** Restarts the nodes of a channel one after another, behind a balancer, while messages are sent. */
export async function drainCampaign(options: DrainOptions): Promise<DrainsReport> {
  const folder = mkdtempSync(join(tmpdir(), 'koa-comet-drain-'))
  const restart = new RollingRestart(options, join(folder, 'drain.db'))
  try {
    return await restart.run()
  } finally {
    await restart.end()
    rmSync(folder, { recursive: true })
  }
}

class RollingRestart {
  readonly #options: DrainOptions
  readonly #file: string
  readonly #random: SeededRandom
  readonly #problems = new Problems()
  readonly #nodes: DrainNode[] = []
  #balancer: Balancer | undefined
  #clients: readonly DrainClient[] = []
  #running: readonly Promise<void>[] = []

  constructor(options: DrainOptions, file: string) {
    this.#options = options
    this.#file = file
    this.#random = new SeededRandom(options.seed)
  }

  async run(): Promise<DrainsReport> {
    const { clients: count, drains, losesCursors = false } = this.#options
    let node = await this.#start()
    const balancer = await Balancer.open([node.port])
    this.#balancer = balancer
    const tokens = await node.initialise(count)
    this.#clients = tokens.map((token, index) => {
      const transport = index % 2 === 0 ? 'streaming' : 'long-polling'
      return new DrainClient(token, { transport, port: balancer.port, random: this.#random, losesCursors })
    })
    this.#running = this.#clients.map((client) => client.run())
    await node.holds(count)
    const publicTokens = tokens.map(({ publicToken }) => publicToken)
    node.tell({ publishTo: publicTokens })
    const reports: DrainReport[] = []
    for (const overSeconds of drains) {
      const next = await this.#start()
      next.tell({ publishTo: publicTokens })
      await pause(STAY_MS)
      reports.push(await this.#drain(node, next, overSeconds))
      node = next
    }
    await node.silence()
    return this.#report(node.name, reports)
  }

  async end(): Promise<void> {
    for (const client of this.#clients) client.close()
    await Promise.all(this.#running)
    await this.#balancer?.close()
    for (const node of this.#nodes) await node.kill()
  }

  async #start(): Promise<DrainNode> {
    const number = this.#nodes.length + 1
    const node = new DrainNode(this.#file, number)
    this.#nodes.push(node)
    await node.listens()
    return node
  }

  async #drain(node: DrainNode, next: DrainNode, overSeconds: number): Promise<DrainReport> {
    const beganAt = performance.now()
    const closing = node.close(overSeconds)
    if (this.#options.noticedAfterMs > 0) await pause(this.#options.noticedAfterMs)
    this.#balancer!.targets = [next.port]
    const end = await closing
    const here = (): DrainClient[] => this.#clients.filter(({ servedBy }) => servedBy === next.name)
    await waitUntil(() => here().length === this.#clients.length)
    const arrivals: number[] = []
    for (const { arrivedAt } of here()) {
      const slot = Math.floor((arrivedAt - beganAt) / SLOT_MS)
      arrivals[slot] = (arrivals[slot] ?? 0) + 1
    }
    const counts = Array.from(arrivals, (count) => count ?? 0)
    return { overSeconds, ...end, arrived: here().length, fullest: Math.max(...counts), arrivals: counts }
  }

  async #report(lastNode: string, drains: readonly DrainReport[]): Promise<DrainsReport> {
    const sent = this.#nodes.flatMap((node) => node.sent).sort(([one], [other]) => one - other)
    const addressed = this.#clients.map((_, index) =>
      sent.filter(([, number]) => isFor(index, number)).map(([id]) => id),
    )
    await waitUntil(() => this.#clients.every(({ position }, index) => position >= addressed[index]!.at(-1)!))
    for (const { troubles } of this.#nodes)
      this.#problems.add(...troubles.map((text) => ({ kind: 'failed', text }) as const))
    for (const [index, { publicToken, problems, received, servedBy }] of this.#clients.entries()) {
      this.#problems.add(...problems)
      if (servedBy !== lastNode)
        this.#problems.add({ kind: 'failed', text: `${publicToken} did not get to ${lastNode}` })
      const history = { who: publicToken, segments: [{ isClean: true, received }], isWhole: true }
      this.#problems.add(...checkHistory(history, addressed[index]!))
    }
    for (const { removed } of this.#nodes)
      this.#problems.add(...removed.map((text) => ({ kind: 'client', text: `${text} was removed` }) as const))
    return {
      problems: this.#problems,
      clients: this.#clients.length,
      messages: sent.length,
      deliveries: this.#clients.reduce((sum, { received }) => sum + received.length, 0),
      drains,
    }
  }
}

/** Ends the wait after a time: then the check finds what is missing. */
async function waitUntil(condition: () => boolean): Promise<void> {
  const giveUpAt = performance.now() + CATCHING_UP_MS
  while (!condition() && performance.now() < giveUpAt) await pause(LOOK_AGAIN_MS)
}

/** A node's process, and what it has said. */
class DrainNode {
  readonly name: string
  port = 0
  readonly sent: (readonly [id: number, number: number])[] = []
  readonly removed: string[] = []
  readonly troubles: string[] = []
  readonly #child = new CampaignChild<DrainSaid>('drain-child')
  #clients: readonly DrainToken[] = []
  #held = 0
  #isSilent = false
  #end: NodeEnd | undefined

  constructor(file: string, number: number) {
    this.name = `node-${number}`
    this.#child.listen((said) => {
      if ('port' in said) this.port = said.port
      else if ('clients' in said) this.#clients = said.clients
      else if ('holds' in said) this.#held = said.holds
      else if ('sent' in said) this.sent.push(said.sent)
      else if ('silent' in said) this.#isSilent = true
      else if ('removed' in said) this.removed.push(said.removed)
      else if ('closed' in said) this.#end = said.closed
      else this.troubles.push(said.trouble)
    })
    this.tell({ open: { file, name: this.name, firstNumber: number * NUMBERS_OF_NODE } })
  }

  listens(): Promise<void> {
    return this.#child.until(() => this.port > 0)
  }

  tell(order: DrainOrder): void {
    this.#child.tell(order)
  }

  async initialise(count: number): Promise<readonly DrainToken[]> {
    this.tell({ initialise: count })
    await this.#child.until(() => this.#clients.length === count)
    return this.#clients
  }

  async holds(count: number): Promise<void> {
    this.tell({ hold: count })
    await this.#child.until(() => this.#held === count)
  }

  async close(overSeconds: number): Promise<NodeEnd> {
    this.tell({ close: { overSeconds } })
    await this.#child.until(() => this.#end !== undefined)
    return this.#end!
  }

  async silence(): Promise<void> {
    this.tell({ silence: true })
    await this.#child.until(() => this.#isSilent)
  }

  async kill(): Promise<void> {
    await this.#child.kill()
  }
}
