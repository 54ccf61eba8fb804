import type { Database } from 'better-sqlite3'
import type { CometClient } from '../../lib/comet-client.ts'
import type {
  ClientRecord,
  LeaseOutcome,
  LeaseRenewal,
  Operation,
  Outcome,
  RemovedClient,
  Retention,
} from '../../lib/comet-state-provider.ts'
import { retryWhileBusy } from './busy.ts'
import { ChannelRows, noteSweep, storeTime, sweptTime } from './channel-row.ts'
import { ClientRows, clientOf } from './client-rows.ts'
import { commitSteps } from './commit-steps.ts'
import { EntryAppender, EntryRows } from './entry-rows.ts'
import { LeaseRows } from './lease-rows.ts'
import { MarkRows } from './mark-rows.ts'
import { Operations } from './operations.ts'
import type { CompleteOptions } from './options.ts'
import { Forgetting, RememberedRows, rememberMs } from './remembered-rows.ts'
import { trimStep } from './retention-step.ts'
import { tablesOf } from './schema.ts'
import { type Committed, Writer, type WriteTransaction } from './write-transaction.ts'

/** How many leases are renewed, and how many clients removed, in one transaction: a few milliseconds each. */
const RENEWALS_PER_STEP = 200
const REMOVALS_PER_STEP = 100

/** One channel of the file, by a connection of our own. Tells `committed` of each transaction that added entries. */
export class StoredChannel {
  readonly number: number
  readonly rows: ChannelRows
  readonly entries: EntryRows
  readonly #appender: EntryAppender
  readonly #committed: (committed: Committed<unknown>) => Promise<void>
  readonly #options: CompleteOptions
  readonly #retention: Retention
  readonly #writer: Writer
  readonly #operations: Operations
  readonly #clients: ClientRows
  readonly #leases: LeaseRows
  readonly #stopped: RememberedRows
  readonly #forgetting: readonly Forgetting[]
  readonly #marks: MarkRows
  /** After a commit, until the event loop has turned: who asks again at once would keep it from all else. */
  #turn: Promise<void> | undefined

  constructor(
    database: Database,
    number: number,
    options: CompleteOptions,
    retention: Retention,
    committed: (committed: Committed<unknown>) => Promise<void>,
  ) {
    const tables = tablesOf(number)
    this.number = number
    this.rows = new ChannelRows(database, number)
    this.entries = new EntryRows(database, tables)
    this.#appender = new EntryAppender(database, tables)
    this.#options = options
    this.#retention = retention
    this.#committed = committed
    this.#writer = new Writer(database, this.rows, options.lockTimeoutSeconds, options.now)
    this.#clients = new ClientRows(database, tables)
    this.#leases = new LeaseRows(database, tables)
    this.#stopped = new RememberedRows(database, tables.stopped)
    this.#forgetting = [new Forgetting(database, tables.keys), new Forgetting(database, tables.stopped)]
    this.#marks = new MarkRows(database, tables)
    this.#operations = new Operations(
      {
        log: this.#appender,
        clients: this.#clients,
        keys: new RememberedRows(database, tables.keys),
        stopped: this.#stopped,
      },
      rememberMs(retention),
    )
  }

  /** In as few transactions as do not hold up the event loop, each in a turn of its own. */
  async append(operations: readonly Operation[]): Promise<Outcome[]> {
    const outcomes: Outcome[] = []
    for (const step of commitSteps(operations)) {
      await this.#turn
      const done = await this.#write((transaction) => {
        const outcomes = step.map((operation) => this.#operations.do(operation, transaction))
        this.#storeAndTrim(transaction)
        return outcomes
      })
      outcomes.push(...done)
      this.#turn = new Promise(setImmediate)
    }
    return outcomes
  }

  getClient(privateTokenHash: string): Promise<ClientRecord | 'stopped' | undefined> {
    return this.read(() => {
      const record = this.#clients.find(this.number, privateTokenHash)
      if (record) return record
      const now = storeTime(this.rows.read(), this.#options.now())
      return this.#stopped.find(privateTokenHash, now) === undefined ? undefined : 'stopped'
    })
  }

  async *getClients(): AsyncGenerator<CometClient> {
    for (let last = 0; ; ) {
      const page = await this.read(() => this.#clients.page(last))
      if (page.length === 0) return
      yield* page.map(clientOf)
      last = page.at(-1)!.generation
      await new Promise(setImmediate)
    }
  }

  async renewLeases(renewals: readonly LeaseRenewal[]): Promise<LeaseOutcome[]> {
    const outcomes: LeaseOutcome[] = []
    for (let begin = 0; begin < renewals.length; begin += RENEWALS_PER_STEP) {
      if (begin > 0) await new Promise(setImmediate)
      const step = renewals.slice(begin, begin + RENEWALS_PER_STEP)
      const renewed = await this.#write((transaction) =>
        step.map((renewal) => this.#leases.renew(renewal, transaction)),
      )
      outcomes.push(...renewed)
    }
    return outcomes
  }

  /** Removes the idle, and what is over the retention, in steps. */
  async removeExpired(): Promise<RemovedClient[]> {
    const first = await this.#write((transaction) => {
      noteSweep(transaction.channel, transaction.wallTime)
      return this.#sweepStep(transaction)
    })
    const { removed } = first
    try {
      for (let { more } = first; more; ) {
        await new Promise(setImmediate)
        const next = await this.#write((transaction) => this.#sweepStep(transaction))
        removed.push(...next.removed)
        more = next.more
      }
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

  /** Returns whether there may be more to trim. */
  #storeAndTrim(transaction: WriteTransaction): boolean {
    this.#appender.store(transaction)
    return trimStep(this.entries, transaction, this.#retention)
  }

  #sweepStep(transaction: WriteTransaction): { readonly removed: RemovedClient[]; readonly more: boolean } {
    const { now, leaseTime } = transaction
    const removed: RemovedClient[] = []
    for (const row of this.#leases.expired(leaseTime, REMOVALS_PER_STEP)) {
      const { publicToken, generation, goodbye } = row
      this.#operations.remove({ publicToken, generation }, transaction)
      removed.push({ client: clientOf(row), reason: goodbye === 1 ? 'goodbye' : 'idle' })
    }
    const hasMoreToForget = this.#forgetting.map((table) => table.step(now)).includes(true)
    const hasMoreMarks = this.#marks.deleteOld(sweptTime(transaction.channel))
    const hasMoreToTrim = this.#storeAndTrim(transaction)
    return {
      removed,
      more: removed.length === REMOVALS_PER_STEP || hasMoreToForget || hasMoreMarks || hasMoreToTrim,
    }
  }
}
