import { pause } from './abortable.ts'
import { backOffMs, LONGEST_TIMER_MS } from './back-off.ts'
import { CometError } from './comet-error.ts'
import type { ConnectionEvent, ConnectionState } from './connection-states.ts'
import { ANSWERED, ENDED, FAILED, LOST, SUBSCRIBED } from './connection-states.ts'
import { parseCursor } from './cursor.ts'
import type { EventDetails } from './event-details.ts'
import { createExchange, type ExchangeParts } from './exchange.ts'
import { sayGoodbye } from './goodbye.ts'
import { isDeadToken } from './http.ts'
import { answerAsLiving } from './living-pages.ts'
import { watchPage } from './page-events.ts'
import { type Batch, bringsNews } from './transport.ts'
import { ONLINE, type TransportName } from './transport-choice.ts'

/** A request that ended sooner, its pause included, and brought no message, was in vain. */
const SOON_MS = 1000
/** So many of those in a row follow each other as fast as the server likes. */
const MANY_IN_VAIN = 5
/** How often it is tried although the browser says that there is no network. */
const OFFLINE_MS = 30_000
/** Timers that are only late have their turn before the page is taken for one that has slept. */
const SLACK_MS = 5000

/** What a connection works with. */
export interface ConnectionParts extends ExchangeParts {
  emit<K extends keyof EventDetails>(type: K, detail: EventDetails[K]): void
}

/** The loop of a channel: at most one at a time. Each of its ways leads to the next request or to a failure handler. */
export interface Connection {
  readonly state: ConnectionState
  readonly transport: TransportName
  /** Begins the loop. Without effect when it runs. */
  start(): void
  /** Ends the loop and its open request at once. Without effect when none runs. */
  stop(): void
  /** Ends the loop for good, and says goodbye. */
  leave(): Promise<void>
}

export function createConnection(parts: ConnectionParts): Connection {
  const { alias, http, identity, listeners, emit } = parts
  const exchange = createExchange(parts, {
    onSign,
    onSlow: () => emit('connectionslow', null),
    onBatch,
    onHeldCut: () => {
      failures = 0
    },
    onAskAnew: () => attempt.abort(),
  })
  let state: ConnectionState = 'disconnected'
  /** From start to stop. */
  let life: AbortController | undefined
  /** A request and the pause after it. */
  let attempt = new AbortController()
  /** Answers for this page while it lives. */
  let living: BroadcastChannel | undefined
  let isFrozen = false
  let mustTellForgotten = false
  /** Since the server last held a request, or refused a token. */
  let failures = 0
  /** Tokens refused since the server last held a request. */
  let refusals = 0
  /** Requests in a row that ended soon and brought no message. */
  let vain = 0
  /** When the page must have slept if nothing has happened: by `Date.now()`, which goes on while the machine sleeps. */
  let dueMs = 0

  return {
    get state() {
      return state
    },
    get transport() {
      return exchange.transport
    },
    start,
    stop,
    leave,
  }

  function start(): void {
    if (life) return
    life = new AbortController()
    const { signal } = life
    failures = refusals = vain = 0
    isFrozen = false
    living = answerAsLiving(identity.page)
    watchPage(signal, hidden, shown, online, awake)
    transition(SUBSCRIBED)
    void run(signal)
  }

  /** @param failure what no retry mends */
  function stop(failure?: CometError): void {
    if (!life) return
    life.abort()
    life = undefined
    letGo(failure?.code === 'COMET_REPLACED')
    if (failure) listeners.end(failure)
    transition(ENDED)
  }

  /**
   * Ends the open requests, and leaves what is stored to the page that comes next.
   *
   * @param isReplaced then what is stored is not ours to touch
   */
  function letGo(isReplaced?: boolean): void {
    attempt.abort()
    exchange.end()
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
      // What was waiting for listeners is asked for again.
      attempt.abort()
      attempt = new AbortController()
      const { signal } = attempt
      const pauseMs = isFrozen ? LONGEST_TIMER_MS : await askOnce(signal)
      onSign(pauseMs)
      // No timer without need: hidden tabs may run one a minute.
      if (pauseMs > 0) await pause(pauseMs, signal)
    }
  }

  /** Returns how long to wait before the next request. */
  async function askOnce(signal: AbortSignal): Promise<number> {
    const beganAtMs = performance.now()
    onSign(http.limitMs)
    try {
      await identity.take(signal)
      const pauseMs = await exchange.ask(state === 'connected', signal)
      vain = performance.now() + pauseMs - beganAtMs < SOON_MS ? vain + 1 : 0
      return vain > MANY_IN_VAIN ? Math.max(pauseMs, backOffMs(vain - MANY_IN_VAIN)) : pauseMs
    } catch (cause) {
      // The loop has ended, or an event asks for a new request.
      if (signal.aborted) return 0
      return recover(
        cause instanceof CometError ? cause : new CometError('COMET_CONNECTION_FAILED', true, { cause }),
      )
    }
  }

  function onBatch(batch: Batch, isHeld: boolean): void {
    identity.takesOver = false
    identity.isProven ||= isHeld
    if (isHeld) failures = refusals = 0
    if (bringsNews(batch)) vain = 0
    transition(ANSWERED)
    const from = parseCursor(identity.cursor) ?? batch.cursor
    // Told when it is known from where on nothing is missing.
    if (!mustTellForgotten || !from || attempt.signal.aborted) return
    mustTellForgotten = false
    emit('reset', { reason: 'forgotten', ...from })
  }

  /** Returns how long to wait before the next request. When none can help, ends the loop. */
  function recover(failure: CometError): number {
    const { code, retryAfterSeconds } = failure
    const isDead = isDeadToken(code)
    if (isDead || code === 'COMET_CLIENT_IS_STOPPED') identity.forget()
    mustTellForgotten ||= isDead
    const isRenewed = isDead && identity.renewsToken
    // An answer ends an outage: what follows is counted anew.
    if (isDead) failures = 0
    if (isRenewed && identity.isProven) {
      transition(LOST)
      return 0
    }
    const willRetry = failure.willRetry || isRenewed
    const error = new CometError(code, willRetry, failure)
    let pauseMs = 0
    if (willRetry) {
      pauseMs = backOffMs(isDead ? ++refusals : ++failures, retryAfterSeconds)
      // The event `online` ends the pause. Now and then it is tried all the same: browsers err.
      if (globalThis.navigator?.onLine === false) pauseMs = Math.max(pauseMs, OFFLINE_MS)
      transition(FAILED)
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
    if (mayReturn) transition(LOST)
    else if (identity.renewsToken && identity.isTaken) void sayGoodbye(http, identity, true)
  }

  /** The page between may have taken the client over: this one takes it back. */
  function shown(): void {
    if (!isFrozen) return
    isFrozen = false
    living = answerAsLiving(identity.page)
    identity.takesOver = true
    wake()
  }

  function online(): void {
    exchange.note(ONLINE)
    wake()
  }

  /** If the page has slept, the open request may be dead, and a pause is over. */
  function awake(): void {
    if (Date.now() > dueMs) wake()
  }

  /** Asks at once, so that the page soon knows whether it is connected. */
  function wake(): void {
    transition(LOST)
    attempt.abort()
  }

  /** @param nextWithinMs how soon the server gives a sign, or is given up, or is asked */
  function onSign(nextWithinMs: number): void {
    dueMs = Date.now() + nextWithinMs + SLACK_MS
  }

  function transition(event: ConnectionEvent): void {
    const previous = state
    const next = event[previous]
    if (!next) return
    state = next
    listeners.call('log', next)
    emit('statechange', { state: next, previous })
  }
}
