import { setMaxListeners } from 'node:events'
import { Connection, type RedisClientSource } from './connection.ts'

/** Keeps one connection to the server: opened when it is needed, and again after it was lost. */
export class Link {
  readonly #source: RedisClientSource
  readonly #closing = new AbortController()
  #connection: Connection | undefined
  #opening: Promise<Connection> | undefined
  #downSince: number | undefined

  constructor(source: RedisClientSource) {
    this.#source = source
    // As many listen to it as wait for something.
    setMaxListeners(0, this.closed)
  }

  /** Aborted when it is closed. */
  get closed(): AbortSignal {
    return this.#closing.signal
  }

  /** Since when the server cannot be reached, or does not answer, by `performance.now()`. */
  get downSince(): number | undefined {
    return this.#downSince
  }

  /** The connection, which is opened until `endsAt` if need be. One attempt: rejects if it fails. */
  connected(endsAt: number): Promise<Connection> {
    if (this.closed.aborted) return Promise.reject(this.closed.reason)
    if (this.#connection && !this.#connection.isLost) return Promise.resolve(this.#connection)
    this.#opening ??= this.#open(endsAt).finally(() => {
      this.#opening = undefined
    })
    return this.#opening
  }

  /** Gives up a connection that is of no use any more. What is under way by it fails. */
  drop(connection: Connection): void {
    connection.close()
    if (this.#connection === connection) this.#connection = undefined
  }

  /** Gives up a connection by which nothing was answered since then. */
  dropSilent(connection: Connection, since: number): void {
    // Of one that another has replaced by now nothing follows for the server.
    if (this.#connection === connection) this.#downSince ??= since
    this.drop(connection)
  }

  /** Gives up the connection there is: the next one may be to another server. */
  reopen(): void {
    if (this.#connection) this.drop(this.#connection)
  }

  /** Ends what is under way. */
  close(): void {
    this.#closing.abort(new Error('the provider was closed'))
    this.#connection?.close()
  }

  async #open(endsAt: number): Promise<Connection> {
    // One that was lost has listeners and timers still.
    this.#connection?.close()
    try {
      this.#connection = await Connection.open(this.#source, endsAt, this.closed)
      this.#downSince = undefined
      return this.#connection
    } catch (error) {
      this.#downSince ??= performance.now()
      throw error
    }
  }
}
