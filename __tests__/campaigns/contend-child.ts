import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'
import { SqliteCometStateProvider } from 'koa-comet/providers/sqlite'
import type { Entry } from '../../lib/comet-state-provider.ts'
import { initialise, renewal, send } from '../../providers/contract/operations.ts'
import { SeededRandom } from '../../providers/contract/seeded-random.ts'
import { obey, say } from './campaign-child.ts'
import type { NodeReport } from './contend-check.ts'

/** One of the processes that fight for a file: each writes as soon as its last write is done. */

export interface ContendOrder {
  readonly file: string
  /** Tells this process from the others. */
  readonly who: string
  readonly seed: number
  readonly rounds: number
}

export type ContendSaid =
  | { readonly opened: true }
  | { readonly hasRun: true }
  | { readonly report: NodeReport }

const RETENTION = { seconds: 86_400, messages: 10_000_000, bytes: 2 ** 40 }

const MOST_AT_ONCE = 10

/** How long a client lives unseen, and how often it is seen before it is left alone. */
const LEASE_SECONDS = 0.5
const RENEWALS = 3

const SWEEP_AGAIN_MS = 20

interface SeenClient {
  readonly publicToken: string
  readonly generation: number
  renewals: number
}

class Node {
  readonly #provider: SqliteCometStateProvider
  readonly #who: string
  readonly #random: SeededRandom
  readonly #rounds: number
  readonly #fed: string[] = []
  readonly #acknowledged: [contents: string, id: number][] = []
  readonly #refused: string[] = []
  readonly #initialised: string[] = []
  readonly #removed: string[] = []
  readonly #troubles: string[] = []
  readonly #waits: number[] = []
  readonly #delay = monitorEventLoopDelay({ resolution: 1 })
  #seen: SeenClient[] = []

  constructor({ file, who, seed, rounds }: ContendOrder) {
    this.#provider = new SqliteCometStateProvider(file)
    this.#who = who
    this.#random = new SeededRandom(seed)
    this.#rounds = rounds
  }

  async open(): Promise<void> {
    let resets = 0
    await this.#provider.open(
      'comet',
      {
        reset: () => {
          resets += 1
          if (resets > 1) this.#troubles.push('reset')
        },
        entries: (entries) => this.#fed.push(...entries.map(textOf)),
        unavailable: (error) => this.#troubles.push(String(error)),
        available: () => {},
      },
      RETENTION,
    )
  }

  /** Writes all rounds, then sweeps until no client is left, whoever made it. */
  async run(): Promise<void> {
    this.#delay.enable()
    for (let round = 1; round <= this.#rounds; round += 1) await this.#round(round)
    this.#delay.disable()
    for (let hasClients = true; hasClients; ) {
      await pause(SWEEP_AGAIN_MS)
      await this.#sweep()
      const first = await this.#provider.getClients().next()
      hasClients = first.done !== true
    }
  }

  /** All that the file holds, as this process was told of it. */
  async report(): Promise<NodeReport> {
    await this.#provider.catchUp()
    await this.#provider.close()
    return {
      fed: this.#fed,
      acknowledged: this.#acknowledged,
      refused: this.#refused,
      initialised: this.#initialised,
      removed: this.#removed,
      troubles: this.#troubles,
      calls: this.#waits.length,
      longestCallMs: Math.max(...this.#waits),
      medianCallMs: this.#waits.sort((a, b) => a - b)[this.#waits.length >> 1]!,
      longestStallMs: this.#delay.max / 1e6,
    }
  }

  async #round(round: number): Promise<void> {
    await this.#send(round)
    if (round % 10 === 0) await this.#initialise(round)
    if (round % 5 === 0) await this.#renew()
    if (round % 20 === 0) await this.#sweep()
  }

  /** The last one has a key that the other processes use in the same round: one of them is stored. */
  async #send(round: number): Promise<void> {
    const count = this.#random.below(MOST_AT_ONCE)
    const contents = Array.from({ length: count }, (_, index) =>
      JSON.stringify(`${this.#who} ${round}.${index}`),
    )
    const shared = JSON.stringify(`shared ${round}`)
    const operations = contents.map((text) => send('Fight', { contents: text, key: text }))
    const outcomes = await this.#timed(() =>
      this.#provider.append([...operations, send('Fight', { contents: shared, key: shared })]),
    )
    if (!outcomes) this.#refused.push(...contents)
    for (const [index, text] of [...contents, shared].entries()) {
      const outcome = outcomes?.[index]
      if (outcome && 'id' in outcome) this.#acknowledged.push([text, outcome.id])
    }
  }

  async #initialise(round: number): Promise<void> {
    const publicToken = `${this.#who}-${round}`
    const operation = initialise(publicToken, { leaseSeconds: LEASE_SECONDS, maxClients: 1_000_000 })
    const [outcome] = (await this.#timed(() => this.#provider.append([operation]))) ?? []
    if (!outcome || !('id' in outcome)) return
    this.#initialised.push(publicToken)
    this.#seen.push({ publicToken, generation: outcome.id, renewals: 0 })
  }

  async #renew(): Promise<void> {
    const renewals = this.#seen.map((client) => renewal(client, { seconds: LEASE_SECONDS }))
    if (renewals.length === 0) return
    const outcomes = await this.#timed(() => this.#provider.renewLeases(renewals))
    for (const [index, outcome] of outcomes?.entries() ?? []) {
      if (outcome === 'elsewhere') this.#troubles.push(`${this.#seen[index]!.publicToken} was elsewhere`)
    }
    for (const client of this.#seen) client.renewals += 1
    this.#seen = this.#seen.filter((client) => client.renewals < RENEWALS)
  }

  async #sweep(): Promise<void> {
    const removed = await this.#timed(() => this.#provider.removeExpired())
    for (const { client } of removed ?? []) this.#removed.push(client.publicToken)
  }

  /** The time of a call is mostly that of the wait for the lock. */
  async #timed<T>(call: () => Promise<T>): Promise<T | undefined> {
    const startedAt = performance.now()
    try {
      return await call()
    } catch (error) {
      this.#troubles.push(String(error))
      return undefined
    } finally {
      this.#waits.push(performance.now() - startedAt)
    }
  }
}

function textOf(entry: Entry): string {
  const { id, kind } = entry
  if (kind === 'message') return `${id} ${kind} ${entry.contents}`
  // No others come into this fight.
  return `${id} ${kind} ${'publicToken' in entry ? entry.publicToken : ''}`
}

let node: Node | undefined

obey(async (order: ContendOrder | 'run' | 'report') => {
  if (order === 'run') {
    await node!.run()
    say({ hasRun: true })
  } else if (order === 'report') {
    say({ report: await node!.report() })
  } else {
    node = new Node(order)
    await node.open()
    say({ opened: true })
  }
})
