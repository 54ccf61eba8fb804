import { randomUUID } from 'node:crypto'
import Database from 'better-sqlite3'
import { CometException, unknownReceiverText } from '../../lib/comet-exception.ts'
import type { SendOperation } from '../../lib/comet-state-provider.ts'
import { isBusy } from './busy.ts'
import { ChannelRows } from './channel-row.ts'
import { isAsDurable } from './database-file.ts'
import { EntryAppender } from './entry-rows.ts'
import { ExistingClients } from './existing-clients.ts'
import { MarkRows } from './mark-rows.ts'
import type { CompleteOptions } from './options.ts'
import { RememberedRows } from './remembered-rows.ts'
import { tablesOf } from './schema.ts'
import { explained, unavailable } from './store-errors.ts'
import { WriteTransaction } from './write-transaction.ts'

/** The statements of one channel on a connection of the app. */
interface AppStatements {
  readonly rows: ChannelRows
  readonly log: EntryAppender
  readonly clients: ExistingClients
  readonly keys: RememberedRows
  readonly marks: MarkRows
}

/** A message that waits for the app's transaction to end. */
export interface AppSend {
  readonly id: number
  readonly epoch: string
  /** Random, and stored with the message. */
  readonly mark: string
  /** The store's time of that, in milliseconds. */
  readonly markedAt: number
}

/** Sends messages within transactions of the app, on its own connections to the channel's file. */
export class AppTransactions {
  readonly #number: number
  readonly #path: string
  readonly #epoch: () => string
  readonly #options: CompleteOptions
  readonly #rememberMs: number
  readonly #statements = new WeakMap<Database.Database, AppStatements>()

  /** @param rememberMs how long keys are remembered */
  constructor(
    channel: { readonly number: number; readonly path: string; readonly epoch: () => string },
    options: CompleteOptions,
    rememberMs: number,
  ) {
    this.#number = channel.number
    this.#path = channel.path
    this.#epoch = channel.epoch
    this.#options = options
    this.#rememberMs = rememberMs
  }

  /**
   * Adds the message to the app's transaction, in this turn. What can be refused is refused before anything is
   * written, by a throw: the app's transaction then rolls back, as it would for an error of its own. If it does not,
   * nothing of the message is in it: what is sent is sent within a savepoint.
   */
  send(handle: unknown, operation: SendOperation): AppSend {
    const database = this.#checked(handle)
    try {
      const statements = this.#statementsOf(database)
      return database.transaction(() => this.#send(database, statements, operation))()
    } catch (error) {
      if (error instanceof TypeError || error instanceof CometException) throw error
      throw this.#unavailable(database, error)
    }
  }

  #send(database: Database.Database, statements: AppStatements, operation: SendOperation): AppSend {
    const { rows, log, clients, keys, marks } = statements
    // The first read on the connection: before it, SQLite does not say truly how durable it is.
    const transaction = new WriteTransaction(rows.read(), this.#options.now())
    const { channel, now } = transaction
    this.#check(database, channel.epoch)
    const { topics, except, name, contents, receiver, key } = operation
    const { epoch } = channel
    const mark = randomUUID()
    const first = key === undefined ? undefined : keys.find(key, now)
    if (first === undefined && receiver !== undefined && !clients.find(receiver, undefined, transaction)) {
      throw new CometException('COMET_CLIENT_DOES_NOT_EXIST', unknownReceiverText(name, receiver))
    }
    marks.add(mark, now)
    if (first !== undefined) return { id: first, epoch, mark, markedAt: now }
    const id = log.add(transaction, (id) => ({ kind: 'message', id, topics, except, name, contents }))
    log.store(transaction)
    if (key !== undefined) keys.remember(key, id, now + this.#rememberMs)
    rows.write(channel)
    return { id, epoch, mark, markedAt: now }
  }

  #unavailable(database: Database.Database, error: unknown): CometException {
    if (isBusy(error)) {
      const text =
        'Another connection writes to the file: roll back, and try again. Begin with BEGIN IMMEDIATE.'
      return new CometException('COMET_PROVIDER_IS_UNAVAILABLE', text, { cause: error })
    }
    const fate = database.inTransaction ? 'Roll back.' : 'SQLite has rolled the whole transaction back.'
    return unavailable(explained(error, this.#path, this.#options.lockTimeoutSeconds), fate)
  }

  #checked(handle: unknown): Database.Database {
    const database = checkedHandle(handle)
    const files = database.pragma('database_list') as { readonly name: string; readonly file: string }[]
    // By its real path: by another name of the file SQLite would use another -wal.
    if (files.find(({ name }) => name === 'main')?.file === this.#path) return database
    throw new TypeError(`transaction must be a Database of the channel's own file, ${this.#path}.`)
  }

  #check(database: Database.Database, epoch: string): void {
    if (epoch !== this.#epoch()) {
      const text = 'The transaction sees another life of the log than this node. Roll back, and try again.'
      throw new CometException('COMET_PROVIDER_IS_UNAVAILABLE', text)
    }
    const { durability } = this.#options
    if (isAsDurable(database, durability)) return
    throw new TypeError(
      `The channel promises durability '${durability}', and this connection is less durable: set ` +
        `db.pragma('synchronous = ${durability}') when you open it.`,
    )
  }

  #statementsOf(database: Database.Database): AppStatements {
    const known = this.#statements.get(database)
    if (known) return known
    const tables = tablesOf(this.#number)
    const statements = {
      rows: new ChannelRows(database, this.#number),
      log: new EntryAppender(database, tables),
      clients: new ExistingClients(database, tables),
      keys: new RememberedRows(database, tables.keys),
      marks: new MarkRows(database, tables),
    }
    this.#statements.set(database, statements)
    return statements
  }
}

function checkedHandle(handle: unknown): Database.Database {
  if (!(handle instanceof Database)) {
    throw new TypeError(
      'transaction must be a Database of the same better-sqlite3 that koa-comet uses: another copy of SQLite in ' +
        'one process breaks its locks.',
    )
  }
  if (!handle.open) throw new TypeError('transaction must be an open Database.')
  if (!handle.inTransaction) {
    throw new TypeError('transaction must be a Database with an open transaction: begin one first.')
  }
  return handle
}
