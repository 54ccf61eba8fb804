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
import { longPoll } from './long-polling.ts'
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
  /** Since the server last held a poll, or refused a token. */
  let failures = 0
  /** Tokens refused since the server last held a poll. */
  let refusals = 0

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
    failures = refusals = 0
    isFrozen = false
    living = answerAsLiving(identity.page)
    watchPage(signal, hidden, shown, wake)
    transition('subscribed')
    void run(signal)
  }

  /** @param failure what no retry mends */
  function stop(failure?: CometError): void {
    if (!life) return
    life.abort()
    life = undefined
    letGo(failure?.code === 'COMET_REPLACED')
    if (failure) listeners.end(failure)
    transition('ended')
  }

  /**
   * Ends the open request, and leaves what is stored to the page that comes next.
   *
   * @param isReplaced then what is stored is not ours to touch
   */
  function letGo(isReplaced?: boolean): void {
    attempt.abort()
    living?.close()
    if (!isReplaced) identity.keep(listeners.isReady(0), true)
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
    const isProbe = state !== 'connected'
    const beganAtMs = performance.now()
    try {
      return await poll(isProbe, signal)
    } catch (cause) {
      // The loop has ended, or an event asks for a new poll.
      if (signal.aborted) return 0
      const isOwn = cause instanceof CometError
      // Then something between page and server may have ended it.
      const isCut = !isProbe && (!isOwn || cause.code === 'COMET_ANSWER_IS_INVALID')
      if (isCut && holdLimit.cut(performance.now() - beganAtMs)) failures = 0
      return recover(isOwn ? cause : new CometError('COMET_CONNECTION_FAILED', true, { cause }))
    }
  }

  async function poll(isProbe: boolean, signal: AbortSignal): Promise<number> {
    await identity.take(signal)
    const { cursor } = identity
    const waitSeconds = isProbe ? 0 : (holdLimit.seconds ?? Math.ceil(http.holdSeconds))
    const answer = await longPoll(http, identity, waitSeconds, signal)
    identity.takesOver = false
    if (!isProbe) {
      identity.isProven = true
      holdLimit.answered()
      failures = refusals = 0
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
    const isDead = isDeadToken(code)
    if (isDead || code === 'COMET_CLIENT_IS_STOPPED') identity.forget()
    mustTellForgotten ||= isDead
    const isRenewed = isDead && identity.renewsToken
    // An answer ends an outage: what follows is counted anew.
    if (isDead) failures = 0
    if (isRenewed && identity.isProven) {
      transition('lost')
      return 0
    }
    const willRetry = failure.willRetry || isRenewed
    const error = new CometError(code, willRetry, failure)
    let pauseMs = 0
    if (willRetry) {
      pauseMs = backOffMs(isDead ? ++refusals : ++failures, retryAfterSeconds)
      transition('failed')
    } else {
      // Who subscribes again takes the client back.
      identity.takesOver = true
      stop(error)
    }
    listeners.call('log', code, pauseMs)
    listeners.call('failure', identity.token, alias, error)
    emit('error', error)
    return pauseMs
  }

  function hidden(mayReturn: boolean): void {
    isFrozen = true
    letGo()
    if (mayReturn) transition('lost')
    else if (identity.renewsToken && identity.isTaken) void sayGoodbye(http, identity, true)
  }

  /** The page between may have taken the client over: this one takes it back. */
  function shown(): void {
    isFrozen = false
    living = answerAsLiving(identity.page)
    identity.takesOver = true
    identity.keep(false)
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
    listeners.call('log', next)
    emit('statechange', { state: next, previous })
  }
}
