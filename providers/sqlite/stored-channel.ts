import type { Database } from 'better-sqlite3'
import type { CometClient } from '../../lib/comet-client.ts'
import type {
  Claim,
  ClaimOutcome,
  ClaimReply,
  ClientRecord,
  LeaseOutcome,
  LeaseRenewal,
  Operation,
  Outcome,
  RemovedClient,
  Retention,
} from '../../lib/comet-state-provider.ts'
import { EVERYBODY_TOPICS } from '../../lib/topics.ts'
import { type PendingStop, StopCarrier } from '../shared/stop-carrier.ts'
import { distinctTopics } from './audience-rows.ts'
import { retryWhileBusy } from './busy.ts'
import { ChannelRows, noteSweep } from './channel-row.ts'
import { channelTables } from './channel-tables.ts'
import type { ClaimRows } from './claim-rows.ts'
import { ClientReader } from './client-reader.ts'
import { clientOf } from './client-rows.ts'
import { CommitStep } from './commit-steps.ts'
import { EntryRows } from './entry-rows.ts'
import type { ExistingClients } from './existing-clients.ts'
import { LeaseRows } from './lease-rows.ts'
import { Operations } from './operations.ts'
import type { CompleteOptions } from './options.ts'
import { rememberMs } from './remembered-rows.ts'
import { tablesOf } from './schema.ts'
import { PendingStops, type Stop } from './stop-rows.ts'
import { type StopStep, Stops } from './stops.ts'
import { SweepStep } from './sweep-step.ts'
import { type Committed, Writer, type WriteTransaction } from './write-transaction.ts'

/** How many leases are renewed, or claims made or settled, in one transaction: a few milliseconds. */
const CALLS_PER_STEP = 200
const REPLIES_PER_STEP = 20

/** One channel of the file, by a connection of our own. Tells `committed` of each transaction that added entries. */
export class StoredChannel {
  readonly number: number
  readonly rows: ChannelRows
  readonly entries: EntryRows
  readonly #committed: (committed: Committed<unknown>) => Promise<void>
  readonly #options: CompleteOptions
  readonly #writer: Writer
  readonly #existing: ExistingClients
  readonly #claims: ClaimRows
  readonly #operations: Operations
  readonly #stops: Stops
  readonly #leases: LeaseRows
  readonly #sweep: SweepStep
  readonly #reader: ClientReader
  readonly #carrier: StopCarrier
  /** After a commit, until the event loop has turned: who asks again at once would keep it from all else. */
  #turn: Promise<void> | undefined

  constructor(
    database: Database,
    number: number,
    options: CompleteOptions,
    retention: Retention,
    committed: (committed: Committed<unknown>) => Promise<void>,
  ) {
    const names = tablesOf(number)
    this.number = number
    this.rows = new ChannelRows(database, number)
    this.entries = new EntryRows(database, names)
    this.#options = options
    this.#committed = committed
    this.#writer = new Writer(database, this.rows, options.lockTimeoutSeconds, options.now)
    const tables = channelTables(database, number)
    this.#existing = tables.existing
    this.#claims = tables.claims
    this.#leases = new LeaseRows(database, names)
    this.#reader = new ClientReader(database, number, this.rows)
    this.#stops = new Stops(tables, rememberMs(retention))
    this.#operations = new Operations(tables, this.#stops, rememberMs(retention))
    const parts = {
      tables,
      operations: this.#operations,
      stops: this.#stops,
      leases: this.#leases,
      entries: this.entries,
    }
    this.#sweep = new SweepStep(database, number, retention, parts)
    const pending = new PendingStops(database, names)
    this.#carrier = new StopCarrier(
      () => this.read(() => pending.all().map(placeOf)),
      (id) => this.#write((transaction) => this.#stopStep(id, transaction)),
    )
  }

  /** In as few transactions as do not hold up the event loop, each in a turn of its own. */
  async append(operations: readonly Operation[]): Promise<Outcome[]> {
    const outcomes: Outcome[] = []
    while (outcomes.length < operations.length) {
      await this.#turn
      const { done, unfinished } = await this.#write((transaction) =>
        this.#appendStep(operations.slice(outcomes.length), transaction),
      )
      outcomes.push(...done)
      this.#turn = new Promise(setImmediate)
      // What it cannot do now the next sweep does: those who are removed by now have to be told of.
      if (unfinished) await this.#carrier.finish(unfinished.id, unfinished.stopped).catch(() => {})
    }
    return outcomes
  }

  getClient(privateTokenHash: string): Promise<ClientRecord | 'stopped' | undefined> {
    return this.read(() => this.#reader.get(privateTokenHash, this.#options.now()))
  }

  async *getClients(topics: readonly string[] = EVERYBODY_TOPICS): AsyncGenerator<CometClient> {
    const distinct = distinctTopics(topics)
    const seen = new Set<number>()
    for (const topic of distinct) {
      for (let after: number | undefined = 0; after !== undefined; ) {
        const from: number = after
        const { rows, next } = await this.read(() => this.#reader.page(topic, from))
        for (const row of rows) {
          if (seen.has(row.generation)) continue
          if (distinct.length > 1) seen.add(row.generation)
          yield clientOf(row)
        }
        after = next
        await new Promise(setImmediate)
      }
    }
  }

  renewLeases(renewals: readonly LeaseRenewal[]): Promise<LeaseOutcome[]> {
    return this.#inSteps(renewals, CALLS_PER_STEP, (renewal, transaction) => {
      const { publicToken, generation } = renewal
      const mayBeStopped = transaction.channel.stops > 0
      const isGone = mayBeStopped && !this.#existing.find(publicToken, generation, transaction)
      return isGone ? 'gone' : this.#leases.renew(renewal, transaction)
    })
  }

  claim(claims: readonly Claim[]): Promise<ClaimOutcome[]> {
    return this.#inSteps(claims, CALLS_PER_STEP, (claim, transaction) => {
      const { publicToken, generation } = claim
      const exists = this.#existing.find(publicToken, generation, transaction) !== undefined
      return exists ? this.#claims.claim(claim, transaction) : 'gone'
    })
  }

  async settle(replies: readonly ClaimReply[]): Promise<void> {
    await this.#inSteps(replies, REPLIES_PER_STEP, (reply, transaction) =>
      this.#claims.settle(reply, transaction),
    )
  }

  /** Removes the idle, and what is over the retention, in steps, and carries out what stops have left. */
  async removeExpired(): Promise<RemovedClient[]> {
    const first = await this.#write((transaction) => {
      noteSweep(transaction.channel, transaction.wallTime)
      return { ...this.#sweep.do(transaction), stops: transaction.channel.stops }
    })
    const { removed, stops } = first
    try {
      for (let { more } = first; more; ) {
        await new Promise(setImmediate)
        const next = await this.#write((transaction) => this.#sweep.do(transaction))
        removed.push(...next.removed)
        more = next.more
      }
      if (stops > 0) await this.#takeOverStops(removed)
    } catch (error) {
      // Those who are removed have to be told of. The rest is for the next sweep.
      if (removed.length === 0) throw error
    }
    return removed
  }

  /** Reads when nobody is in the way: after a crash of another process, its recovery can be. */
  read<T>(work: () => T): Promise<T> {
    return retryWhileBusy(this.#options.lockTimeoutSeconds, work)
  }

  async #write<T>(work: (transaction: WriteTransaction) => T): Promise<T> {
    const committed = await this.#writer.write(work)
    await this.#committed(committed)
    return committed.result
  }

  /** As many of them as one commit takes. A stop that it leaves unfinished is the last. */
  #appendStep(
    operations: readonly Operation[],
    transaction: WriteTransaction,
  ): { readonly done: Outcome[]; readonly unfinished?: StopStep } {
    const step = new CommitStep()
    const done: Outcome[] = []
    let unfinished: StopStep | undefined
    for (const operation of operations) {
      if (unfinished || !step.has(operation)) break
      const next = transaction.added.length + 1
      if (operation.kind === 'stop') {
        const begun = this.#stops.begin(operation, transaction)
        const { id, stopped, more } = begun
        done.push({ epoch: transaction.channel.epoch, id, stopped })
        step.count(operation, stopped.length)
        if (more) unfinished = begun
      } else {
        done.push(this.#operations.do(operation, transaction))
        step.count(operation, Math.max(transaction.added.length - next, 0))
      }
    }
    this.#sweep.storeAndTrim(transaction)
    return { done, ...(unfinished && { unfinished }) }
  }

  #stopStep(id: number, transaction: WriteTransaction): StopStep {
    const step = this.#stops.next(id, transaction)
    this.#sweep.storeAndTrim(transaction)
    return step
  }

  async #takeOverStops(removed: RemovedClient[]): Promise<void> {
    const stopped: CometClient[] = []
    try {
      await this.#carrier.takeOver(stopped)
    } finally {
      removed.push(...stopped.map((client) => ({ client, reason: 'stopped' as const })))
    }
  }

  /** One call after the other, so many in a commit. */
  async #inSteps<C, R>(
    calls: readonly C[],
    count: number,
    work: (call: C, transaction: WriteTransaction) => R,
  ): Promise<R[]> {
    const results: R[] = []
    for (let begin = 0; begin < calls.length; begin += count) {
      if (begin > 0) await new Promise(setImmediate)
      const step = calls.slice(begin, begin + count)
      results.push(...(await this.#write((transaction) => step.map((call) => work(call, transaction)))))
    }
    return results
  }
}

function placeOf({ id, topic, after }: Stop): PendingStop {
  return { id, place: `${topic} ${after}` }
}
