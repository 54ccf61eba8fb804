import { realpathSync } from 'node:fs'
import type { Database } from 'better-sqlite3'
import { CometException } from '../../lib/comet-exception.ts'
import type { Done, ProviderListener, Retention, SendOperation } from '../../lib/comet-state-provider.ts'
import { AppTransactions } from './app-transactions.ts'
import { isBusy, retryWhileBusy } from './busy.ts'
import {
  checkDurability,
  checkIdentity,
  checkVersion,
  type FileIdentity,
  identify,
  openDatabase,
  setDurability,
  useWriteAheadLog,
} from './database-file.ts'
import { EntryFeed } from './entry-feed.ts'
import { EpochRule, firstHead, randomEpoch } from './epoch-rule.ts'
import { MarkRows } from './mark-rows.ts'
import type { CompleteOptions, Durability } from './options.ts'
import { PendingSends } from './pending-sends.ts'
import { rememberMs } from './remembered-rows.ts'
import { channelNumber, prepareSchema, tablesOf } from './schema.ts'
import { explained, unavailable } from './store-errors.ts'
import { StoredChannel } from './stored-channel.ts'
import { type Committed, transact } from './write-transaction.ts'

/** How often it is looked whether the files are still there, if nothing is written. */
const IDENTITY_MS = 1000

const UNKNOWN = 'Whether the message was sent is unknown.'

/** How long a node that closes waits for the write lock where nothing of the log depends on it. */
const CLOSE_SECONDS = 1

/** A channel of a file while it is open: its tables, its feed, and what looks after them from time to time. */
export class OpenChannel {
  readonly stored: StoredChannel
  readonly #database: Database
  readonly #path: string
  /** The file itself, and its -wal. */
  readonly #files: readonly FileIdentity[]
  readonly #epochRule: EpochRule
  readonly #feed: EntryFeed
  readonly #transactions: AppTransactions
  readonly #pending: PendingSends
  readonly #options: CompleteOptions
  #ticker: NodeJS.Timeout | undefined
  #lookedAt = performance.now()
  #lost: unknown

  /** Opens the file, creates what it lacks, and tells the listener of the retained window. */
  static async open(
    fileName: string,
    name: string,
    listener: ProviderListener,
    retention: Retention,
    options: CompleteOptions,
  ): Promise<OpenChannel> {
    const database = openDatabase(fileName)
    let epochRule: EpochRule | undefined
    try {
      const path = realpathSync(fileName)
      const file = identify(path)
      const rule = new EpochRule(database, options.durability, path)
      epochRule = rule
      const retry = <T>(attempt: () => T) => retryWhileBusy(options.lockTimeoutSeconds, attempt)
      const number = await retry(() => prepare(database, name, rule, options))
      // On its own: what was committed by then must not be repeated.
      await retry(() => promise(database, options.durability))
      const files = [file, identify(`${path}-wal`)]
      const channel = new OpenChannel(database, files, rule, number, listener, retention, options)
      await channel.#feed.catchUp()
      channel.#start()
      return channel
    } catch (error) {
      epochRule?.close()
      database.close()
      throw error
    }
  }

  private constructor(
    database: Database,
    files: readonly FileIdentity[],
    epochRule: EpochRule,
    number: number,
    listener: ProviderListener,
    retention: Retention,
    options: CompleteOptions,
  ) {
    this.#database = database
    this.#path = files[0]!.path
    this.#files = files
    this.#epochRule = epochRule
    this.#options = options
    this.stored = new StoredChannel(database, number, options, retention, (committed) =>
      this.#committed(committed),
    )
    this.#feed = new EntryFeed(database, this.stored, listener, (error) => this.#explained(error))
    const channel = { number, path: this.#path, epoch: () => this.#feed.epoch }
    this.#transactions = new AppTransactions(channel, options, rememberMs(retention))
    const marks = new MarkRows(database, tablesOf(number))
    this.#pending = new PendingSends(database, this.stored.rows, marks, () => this.#feed.catchUp())
  }

  /** Throws if the files are not there any more. */
  check(): void {
    if (this.#lost) throw this.#lost
  }

  catchUp(): Promise<void> {
    return this.#feed.catchUp()
  }

  /** Sends within a transaction of the app: throws at once what can be refused. */
  sendWithin(transaction: unknown, operation: SendOperation): Promise<Done> {
    this.#lookForFiles()
    if (this.#lost) throw unavailable(this.#lost, 'The message was not sent.')
    const settled = this.#pending.settled(this.#transactions.send(transaction, operation))
    // Who waits for it must not be left by a process that has nothing else to do.
    this.#ticker?.ref()
    return settled
  }

  async close(): Promise<void> {
    clearInterval(this.#ticker)
    this.#feed.stop()
    this.#lookForFiles()
    await this.#pending.look(CLOSE_SECONDS)
    // What was committed meanwhile is seen, though somebody writes still.
    await this.#pending.look()
    const text = `The channel closed before the transaction ended. ${UNKNOWN}`
    this.#pending.abandon(new CometException('COMET_CHANNEL_IS_CLOSED', text))
    try {
      const seconds = this.#epochRule.isClean() ? CLOSE_SECONDS : this.#options.lockTimeoutSeconds
      await retryWhileBusy(seconds, () => this.#markClean())
    } catch {
      // Then the next one to open begins a new epoch if anything was to be marked: pages are told, the log is lost.
    } finally {
      this.#epochRule.close()
      this.#database.close()
    }
  }

  #markClean(): void {
    this.#lookForFiles()
    // Beside another file that is there by now nothing is ours to mark.
    if (!this.#lost) this.#epochRule.closing()
  }

  #start(): void {
    this.#ticker = setInterval(() => this.#tick(), this.#options.followMs).unref()
  }

  /** Nothing is acknowledged that was written to a file that is gone. */
  async #committed(committed: Committed<unknown>): Promise<void> {
    this.#lookForFiles()
    this.check()
    await this.#feed.committed(committed)
  }

  #tick(): void {
    if (this.#pending.size === 0) this.#ticker?.unref()
    if (performance.now() - this.#lookedAt >= IDENTITY_MS) this.#lookForFiles()
    if (this.#lost) return
    try {
      // What it fails of is told to the listener.
      if (this.#feed.hasNews()) void this.#feed.catchUp().catch(() => {})
    } catch (error) {
      // Then the next look finds out.
      if (!isBusy(error)) this.#feed.fail(error)
    }
    void this.#pending.look()
  }

  #lookForFiles(): void {
    this.#lookedAt = performance.now()
    try {
      for (const file of this.#files) checkIdentity(file)
      this.#lost = undefined
    } catch (error) {
      this.#lost = error
      this.#feed.fail(error)
      this.#pending.abandon(unavailable(error, UNKNOWN))
    }
  }

  #explained(error: unknown): unknown {
    return explained(error, this.#path, this.#options.lockTimeoutSeconds)
  }
}

/** Everything in one transaction, which may be repeated. Returns the channel's number. */
function prepare(
  database: Database,
  name: string,
  epochRule: EpochRule,
  { processes, now }: CompleteOptions,
): number {
  checkVersion(database.prepare('SELECT sqlite_version()').pluck().get() as string, processes)
  useWriteAheadLog(database)
  // The marks of the epoch rule are never less durable than this.
  setDurability(database, 'full')
  return transact(database, () => {
    prepareSchema(database)
    checkDurability(database, 'full')
    const fresh = { epoch: randomEpoch(), head: firstHead(now()), sweptAt: now() }
    const number = channelNumber(database, name, fresh)
    epochRule.opening(number, now())
    return number
  })
}

/** From now on commits are as durable as asked for; those before were not less. */
function promise(database: Database, durability: Durability): void {
  setDurability(database, durability)
  checkDurability(database, durability)
}
