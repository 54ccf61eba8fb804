import type { ResetContents } from '../lib/wire.ts'
import { pause } from './abortable.ts'
import { backOffMs, LONGEST_TIMER_MS } from './back-off.ts'
import { CometError } from './comet-error.ts'
import { CONNECTION_STATES, type ConnectionEvent, type ConnectionState } from './connection-states.ts'
import { parseCursor } from './cursor.ts'
import { deliver } from './delivery.ts'
import { sayGoodbye } from './goodbye.ts'
import { HoldLimit } from './hold-limit.ts'
import { type Http, isDeadToken } from './http.ts'
import type { Identity } from './identity.ts'
import type { Listeners } from './listeners.ts'
import { answerAsLiving } from './living-pages.ts'
import { longPoll, type PollAnswer } from './long-polling.ts'
import { watchPage } from './page-events.ts'

/** What a channel's events have as their `detail`. */
export interface ConnectionEvents {
  statechange: { readonly state: ConnectionState; readonly previous: ConnectionState }
  reset: ResetContents
  error: CometError
}

/** What a connection works with. */
export interface ConnectionParts {
  readonly alias: string
  readonly http: Http
  readonly identity: Identity
  readonly listeners: Listeners
  emit<K extends keyof ConnectionEvents>(type: K, detail: ConnectionEvents[K]): void
}

/** The loop of a channel: at most one at a time. Each of its ways leads to the next poll or to a failure handler. */
export interface Connection {
  readonly state: ConnectionState
  /** Begins the loop. Without effect when it runs. */
  start(): void
  /** Ends the loop and its open request at once. Without effect when none runs. */
  stop(): void
  /** Ends the loop for good, and says goodbye. */
  leave(): Promise<void>
}

export function createConnection(parts: ConnectionParts): Connection {
  const { alias, http, identity, listeners, emit } = parts
  const holdLimit = new HoldLimit()
  let state: ConnectionState = 'disconnected'
  /** From start to stop. */
  let life: AbortController | undefined
  /** A poll and the pause after it. */
  let attempt = new AbortController()
  /** Answers for this page while it lives. */
  let living: BroadcastChannel | undefined
  let isFrozen = false
  let mustTellForgotten = false
  let failures = 0

  return {
    get state() {
      return state
    },
    start,
    stop,
    leave,
  }

  function start(): void {
    if (life) return
    life = new AbortController()
    const { signal } = life
    isFrozen = false
    living = answerAsLiving(identity.page)
    watchPage(signal, hidden, shown, wake)
    transition('subscribed')
    void run(signal)
  }

  /** @param isReplaced then what is stored is not ours to touch */
  function stop(isReplaced?: boolean): void {
    if (!life) return
    life.abort()
    life = undefined
    attempt.abort()
    living?.close()
    if (!isReplaced) {
      identity.keep()
      identity.release()
    }
    transition('ended')
  }

  async function leave(): Promise<void> {
    const { isTaken } = identity
    stop()
    identity.forget()
    mustTellForgotten = false
    listeners.end()
    if (isTaken) await sayGoodbye(http, identity, false)
  }

  async function run(life: AbortSignal): Promise<void> {
    while (!life.aborted) {
      attempt = new AbortController()
      const { signal } = attempt
      const pauseMs = isFrozen ? LONGEST_TIMER_MS : await pollOnce(signal)
      // No timer without need: hidden tabs may run one a minute.
      if (pauseMs > 0) await pause(pauseMs, signal)
    }
  }

  /** Returns how long to wait before the next poll. */
  async function pollOnce(signal: AbortSignal): Promise<number> {
    try {
      return await poll(signal)
    } catch (cause) {
      // The loop has ended, or an event asks for a new poll.
      if (signal.aborted) return 0
      const isOwn = cause instanceof CometError
      return recover(isOwn ? cause : new CometError('COMET_CONNECTION_FAILED', true, { cause }))
    }
  }

  async function poll(signal: AbortSignal): Promise<number> {
    await identity.take(signal)
    const isProbe = state !== 'connected'
    const { cursor } = identity
    const sentAtMs = performance.now()
    let answer: PollAnswer
    try {
      answer = await longPoll(http, identity, isProbe ? 0 : holdLimit.seconds, signal)
    } catch (error) {
      if (!isProbe && isCut(error) && holdLimit.cut(performance.now() - sentAtMs)) failures = 0
      throw error
    }
    identity.takesOver = false
    if (!isProbe) {
      identity.isProven = true
      holdLimit.answered()
      failures = 0
    }
    transition('answered')
    signal.throwIfAborted()
    if (mustTellForgotten) emit('reset', { reason: 'forgotten', ...(parseCursor(cursor) ?? answer.cursor) })
    mustTellForgotten = false
    await deliver(answer, isProbe, parts, signal)
    return answer.retryAfterSeconds ? backOffMs(1, answer.retryAfterSeconds) : 0
  }

  /** Returns how long to wait before the next attempt. When none can help, ends the loop. */
  function recover(failure: CometError): number {
    const { code, retryAfterSeconds } = failure
    const { isProven, renewsToken } = identity
    const isDead = isDeadToken(code)
    if (isDead || code === 'COMET_CLIENT_IS_STOPPED') identity.forget()
    mustTellForgotten ||= isDead
    if (isDead && renewsToken && isProven) {
      transition('lost')
      return 0
    }
    const willRetry = failure.willRetry || (isDead && renewsToken)
    const error = new CometError(code, willRetry, failure)
    const pauseMs = willRetry ? backOffMs(++failures, retryAfterSeconds) : 0
    if (willRetry) transition('failed')
    else {
      // Who subscribes again takes the client back.
      identity.takesOver = true
      stop(code === 'COMET_REPLACED')
    }
    listeners.call('log', code, pauseMs)
    listeners.call('failure', identity.token, alias, error)
    emit('error', error)
    if (!willRetry) listeners.end(error)
    return pauseMs
  }

  function hidden(forGood: boolean): void {
    isFrozen = true
    living?.close()
    attempt.abort()
    identity.release()
    if (!forGood) transition('lost')
    else if (identity.renewsToken && identity.isTaken) void sayGoodbye(http, identity, true)
  }

  /** The page between may have taken the client over: this one takes it back. */
  function shown(): void {
    isFrozen = false
    living = answerAsLiving(identity.page)
    identity.takesOver = true
    identity.keep()
    wake()
  }

  /** Polls at once, and asks to be answered at once, so that the page soon knows whether it is connected. */
  function wake(): void {
    transition('lost')
    attempt.abort()
  }

  function transition(event: ConnectionEvent): void {
    const previous = state
    const next = CONNECTION_STATES[event][previous]
    if (!next) return
    state = next
    listeners.call('log', state)
    emit('statechange', { state, previous })
  }
}

/** Whether something between page and server may have ended the request. */
function isCut(error: unknown): boolean {
  return !(error instanceof CometError) || error.code === 'COMET_ANSWER_IS_INVALID'
}
