import type { Script } from './scripts.ts'
import { within } from './time-limit.ts'

/** What this provider needs of a client of node-redis. */
export interface RedisClient {
  readonly options?: object | undefined
  readonly isReady: boolean
  duplicate(overrides?: object): RedisClient
  connect(): Promise<unknown>
  destroy(): void
  on(event: 'error', listener: (error: unknown) => void): unknown
  sendCommand(args: readonly string[]): Promise<unknown>
}

/** This server will never keep a channel. */
export class UnfitServer extends Error {
  override readonly name = 'UnfitServer'
}

/** The app's client; or a function that gives one, and is asked for each connection: for who is the primary now. */
export type RedisClientSource = RedisClient | (() => RedisClient | Promise<RedisClient>)

/**
 * What differs from the app's own client. Nothing is repeated or kept for later by the library: what was given up must
 * not be done any more. Replies come as the scripts and the stream give them.
 */
const OVERRIDES = {
  RESP: 2,
  disableOfflineQueue: true,
  // Nor does each command get a timer, by which the library would give up those that wait to be sent.
  commandOptions: { timeout: 0 },
  clientSideCache: undefined,
  emitInvalidate: undefined,
  maintNotifications: 'disabled',
  readonly: false,
  // Behind a read that waits for news a ping is never answered in time.
  pingInterval: undefined,
} as const

/** One connection to the server, with the options of the app's client. Once lost it stays lost. */
export class Connection {
  readonly #client: RedisClient
  /** How far the server's clock is ahead of ours, at the least. */
  readonly #aheadMs: number
  /** How much more it may be. */
  readonly #uncertainMs: number

  private constructor(client: RedisClient, aheadMs: number, uncertainMs: number) {
    this.#client = client
    this.#aheadMs = aheadMs
    this.#uncertainMs = uncertainMs
  }

  /** Rejects if the server cannot be reached until `endsAt`, by `performance.now()`, or this is aborted. */
  static async open(source: RedisClientSource, endsAt: number, signal: AbortSignal): Promise<Connection> {
    const prototype = typeof source === 'function' ? await within(endsAt, ask(source), signal) : source
    const { socket } = (prototype.options ?? {}) as { socket?: object }
    const client = prototype.duplicate({
      ...OVERRIDES,
      socket: { ...socket, reconnectStrategy: false, socketTimeout: undefined },
    })
    // Calls tell of it; an 'error' that nobody listens to would end the process.
    client.on('error', () => {})
    const connecting = client.connect()
    try {
      await within(endsAt, connecting, signal)
      const askedAt = performance.now()
      const reply = await within(endsAt, client.sendCommand(['TIME']), signal)
      const [seconds, micros] = reply as [string, string]
      const toldAt = performance.now()
      return new Connection(client, Number(seconds) * 1000 + Number(micros) / 1000 - toldAt, toldAt - askedAt)
    } catch (error) {
      client.destroy()
      // What is destroyed before it is connected connects all the same.
      connecting.then(
        () => client.destroy(),
        () => {},
      )
      throw error
    }
  }

  get isLost(): boolean {
    return !this.#client.isReady
  }

  /** What the server's clock shows at a moment of ours, or less: milliseconds since 1970. */
  serverTimeAt(moment: number): number {
    return Math.floor(moment + this.#aheadMs)
  }

  /** The same, or more. */
  latestServerTimeAt(moment: number): number {
    return Math.ceil(moment + this.#aheadMs + this.#uncertainMs)
  }

  send(args: readonly string[]): Promise<unknown> {
    return this.#client.sendCommand(args)
  }

  async evaluate(
    { sha1, source }: Script,
    keys: readonly string[],
    args: readonly string[],
  ): Promise<unknown> {
    const rest = [String(keys.length), ...keys, ...args]
    try {
      return await this.send(['EVALSHA', sha1, ...rest])
    } catch (error) {
      if (!isReply(error, 'NOSCRIPT')) throw error
      return this.send(['EVAL', source, ...rest])
    }
  }

  close(): void {
    this.#client.destroy()
  }
}

/** @throws TypeError if the client has a `keyPrefix`: it would be known too late, and may be another one each time */
async function ask(source: () => RedisClient | Promise<RedisClient>): Promise<RedisClient> {
  const client = await given(source)
  const { keyPrefix = '' } = (client.options ?? {}) as { readonly keyPrefix?: string }
  if (keyPrefix !== '') {
    throw new TypeError(
      `A client that a function gives cannot have a keyPrefix ('${keyPrefix}'): use the option prefix.`,
    )
  }
  return client
}

async function given(source: () => RedisClient | Promise<RedisClient>): Promise<RedisClient> {
  try {
    return await source()
  } catch (error) {
    // Whatever the app has to say is no word of the server's.
    throw new Error(`the app gave no client: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    })
  }
}

/** Whether the server itself has said this, by one of these codes. */
export function isReply(error: unknown, ...codes: readonly string[]): boolean {
  const code = codeOf(error)
  return code !== undefined && codes.includes(code)
}

/** Whether it may go well soon: the server cannot be reached, or does nothing of what it is asked at present. */
export function isPassing(error: unknown): boolean {
  if (error instanceof TypeError || error instanceof UnfitServer) return false
  if (codeOf(error) === undefined) return true
  return isReply(
    error,
    'LOADING',
    'BUSY',
    'READONLY',
    'MASTERDOWN',
    'NOREPLICAS',
    'TRYAGAIN',
    'UNBLOCKED',
    'COMETLATE',
  )
}

/** That of the server's own errors. */
function codeOf(error: unknown): string | undefined {
  return error instanceof Error ? /^([A-Z]{2,}) /.exec(error.message)?.[1] : undefined
}
