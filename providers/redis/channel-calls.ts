import { randomBytes } from 'node:crypto'
import type { Retention } from '../../lib/comet-state-provider.ts'
import type { ChannelKeys } from './channel-keys.ts'
import { type Connection, isPassing, isReply } from './connection.ts'
import type { Lane } from './lane.ts'
import type { Link } from './link.ts'
import { SCRIPTS, type Script } from './scripts.ts'
import { retried, TimeIsUp, within } from './time-limit.ts'

/** A place in the log. */
export interface Position {
  readonly epoch: string
  readonly head: number
}

/** Of a server that has been away for long, a call waits so long for the attempt to reach it that is under way. */
const BRIEF_MS = 500

/** How far a log reaches: what is behind `trimmedThrough`, up to its head, is there. */
export interface Place extends Position {
  readonly trimmedThrough: number
}

/** What a node has seen of the log, and how long ago it came. */
export interface Seen extends Position {
  readonly agoMs: number
}

/** One call of a script, the same each time it is tried. */
export interface ScriptCall {
  readonly script: Script
  readonly args: readonly string[]
  /** The random name of a life of the log, if one begins by this call. */
  readonly epoch: string
  /** In its lane, for a call that must not be done twice. */
  readonly number?: number
  readonly lane?: string
}

/** What every call says of the channel. */
export interface CallContext {
  readonly keys: ChannelKeys
  readonly retention: Retention
  readonly timeoutMs: number
  readonly now: (() => number) | undefined
  /** So that a store which lacks some of it begins anew. Undefined: nothing yet. */
  readonly seen: () => Seen | undefined
}

/** Calls the scripts of one channel, by one connection, again if that is lost: until their time is over. */
export class ChannelCalls {
  readonly #link: Link
  readonly #context: CallContext

  constructor(link: Link, context: CallContext) {
    this.#link = link
    this.#context = context
  }

  /** Until when what begins now may take, by `performance.now()`. */
  endsAt(): number {
    return performance.now() + this.#context.timeoutMs
  }

  /** One that may be done twice: whoever asks again is answered the same. */
  call(script: Script, args: readonly string[] = [], endsAt = this.endsAt()): Promise<unknown> {
    return this.#try({ script, args, epoch: randomEpoch() }, endsAt)
  }

  /** One that must not be done twice, in the order in which they are asked for. */
  callOnce(lane: Lane, script: Script, args: readonly string[], endsAt: number): Promise<unknown> {
    const { name } = lane
    return lane.next((number) =>
      this.#try({ script, args, epoch: randomEpoch(), number, lane: name }, endsAt),
    )
  }

  /**
   * The same, of which no answer may be lost either: if that of the last one has not come, it is asked for before.
   *
   * @param take is given the answers, that of this call last
   */
  callAnswered(
    lane: Lane<ScriptCall>,
    script: Script,
    args: readonly string[],
    endsAt: number,
    take: (reply: unknown) => void,
  ): Promise<void> {
    return lane.next(async (number) => {
      if (lane.unanswered) take(await this.#try(lane.unanswered, endsAt))
      lane.unanswered = { script, args, epoch: randomEpoch(), number, lane: lane.name }
      take(await this.#try(lane.unanswered, endsAt))
      lane.unanswered = undefined
    })
  }

  /** Where the log is. */
  async locate(endsAt: number): Promise<Place> {
    return placeOf(await this.call(SCRIPTS.position, [], endsAt))
  }

  /** The same, by one attempt. */
  async locateOnce(endsAt: number): Promise<Place> {
    return placeOf(await this.#attempt({ script: SCRIPTS.position, args: [], epoch: randomEpoch() }, endsAt))
  }

  /** Tries it once, by the connection there is or a new one. */
  async #attempt(call: ScriptCall, endsAt: number): Promise<unknown> {
    // It goes on if this call does not wait for it.
    const connecting = this.#link.connected(endsAt)
    const connection = await within(this.#waitsUntil(endsAt), connecting)
    const askedAt = performance.now()
    try {
      return await within(
        endsAt,
        connection.evaluate(call.script, this.#context.keys.all, this.#argsOf(call, connection, endsAt)),
      )
    } catch (error) {
      // By a connection that does not answer nothing else is answered either.
      if (error instanceof TimeIsUp) this.#link.dropSilent(connection, askedAt)
      else if (isReply(error, 'READONLY', 'COMETLATE')) this.#link.drop(connection)
      throw error
    }
  }

  #try(call: ScriptCall, endsAt: number): Promise<unknown> {
    const retrying = {
      endsAt: () => this.#patientUntil(endsAt),
      mayGoWell: isPassing,
      signal: this.#link.closed,
    }
    return retried(retrying, () => this.#attempt(call, endsAt))
  }

  /** Who asks while the server has been away for long need not wait as long again. */
  #patientUntil(endsAt: number): number {
    const { downSince } = this.#link
    return downSince === undefined ? endsAt : Math.min(endsAt, downSince + this.#context.timeoutMs)
  }

  #waitsUntil(endsAt: number): number {
    return Math.min(endsAt, Math.max(this.#patientUntil(endsAt), performance.now() + BRIEF_MS))
  }

  #argsOf(
    { args, epoch, number, lane }: ScriptCall,
    connection: Connection,
    endsAt: number,
  ): readonly string[] {
    const { retention, now, seen } = this.#context
    const known = seen()
    const header = {
      epoch,
      number,
      lane,
      // Never earlier than it was: what was seen behind the end of a life must not pass for what came before it.
      seen: known && {
        epoch: known.epoch,
        head: known.head,
        at: connection.latestServerTimeAt(performance.now() - known.agoMs),
      },
      retention,
      rememberMs: Math.ceil(retention.seconds * 1000),
      latest: connection.serverTimeAt(endsAt),
      now: now && Math.floor(now()),
    }
    return [JSON.stringify(header), ...args]
  }
}

function placeOf(reply: unknown): Place {
  const [epoch, head, trimmedThrough] = reply as [string, number, number]
  return { epoch, head, trimmedThrough }
}

function randomEpoch(): string {
  return randomBytes(12).toString('base64url')
}
