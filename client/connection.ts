import { pause } from './abortable.ts'
import { asCometError, CometError } from './comet-error.ts'
import type { ConnectionEvent, ConnectionState } from './connection-states.ts'
import { ANSWERED, ENDED, FAILED, LOST, SUBSCRIBED } from './connection-states.ts'
import { parseCursor } from './cursor.ts'
import type { EventDetails } from './event-details.ts'
import { createExchange, type ExchangeParts } from './exchange.ts'
import { sayGoodbye } from './goodbye.ts'
import { endsClient, isDeadToken } from './http.ts'
import { answerAsLiving } from './living-pages.ts'
import { createPacing } from './pacing.ts'
import { watchPage } from './page-events.ts'
import { getReady } from './readiness.ts'
import { type Batch, bringsNews } from './transport.ts'
import { ONLINE, type TransportName } from './transport-choice.ts'
import { createUpstream, type Upstream } from './upstream.ts'

/** What a connection works with. */
export interface ConnectionParts extends ExchangeParts {
  readonly emit: Emit
}

/** Dispatches an event of the channel. Returns whether nobody prevented its default. */
export type Emit = <K extends keyof EventDetails>(type: K, detail: EventDetails[K]) => boolean

/** The loop of a channel: at most one at a time. Each of its ways leads to the next request or to a failure handler. */
export interface Connection {
  readonly state: ConnectionState
  readonly transport: TransportName
  readonly upstream: Upstream
  /** Begins the loop. Without effect when it runs. */
  start(): void
  /** Ends the loop and its open request at once. Without effect when none runs. */
  stop(): void
  /** Ends the loop for good, and all who wait for something. */
  end(): void
  /** Does so, forgets the client, and says goodbye. */
  leave(): Promise<void>
}

export function createConnection(parts: ConnectionParts): Connection {
  const { alias, http, identity, listeners, emit } = parts
  const upstream = createUpstream(parts, renew)
  const exchange = createExchange(parts, {
    onSign: (nextWithinMs) => onSign(nextWithinMs),
    onSlow: () => emit('connectionslow', null),
    onBatch,
    onHeldCut: () => pacing.onExcused(),
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
  const pacing = createPacing()
  /** Takes how soon the server gives a sign, or is given up, or is asked. */
  let onSign: (nextWithinMs: number) => void

  return {
    get state() {
      return state
    },
    get transport() {
      return exchange.transport
    },
    start,
    stop,
    end,
    leave,
    upstream,
  }

  function start(): void {
    if (life) return
    life = new AbortController()
    const { signal } = life
    pacing.onStart()
    isFrozen = false
    upstream.reopen()
    living = answerAsLiving(identity.page)
    onSign = watchPage(signal, hidden, shown, online, wake)
    transition(SUBSCRIBED)
    void run(signal)
  }

  /** @param failure what no retry mends */
  function stop(failure?: CometError): void {
    if (!life) return
    life.abort()
    life = undefined
    const isReplaced = failure?.code === 'COMET_REPLACED'
    letGo(isReplaced)
    if (failure) listeners.end(failure)
    if (failure && (isReplaced || !identity.isTaken)) upstream.end(failure)
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

  function end(): void {
    stop()
    listeners.end()
    upstream.end(new CometError('COMET_LEFT', false))
  }

  async function leave(): Promise<void> {
    const { isTaken } = identity
    end()
    identity.forget()
    mustTellForgotten = false
    if (isTaken) await sayGoodbye(http, identity, false)
  }

  /** The token seems dead: asks at once. Returns whether the loop runs, and can come by another. */
  function renew(): boolean {
    if (life) wake()
    return !!life && identity.renewsToken
  }

  async function run(life: AbortSignal): Promise<void> {
    while (!life.aborted) {
      // What was waiting for listeners is asked for again.
      attempt.abort()
      attempt = new AbortController()
      const { signal } = attempt
      const pauseMs = isFrozen ? Number.POSITIVE_INFINITY : await askOnce(signal)
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
      if (!identity.isReady) await getReady({ http, identity, upstream, onRefused: report }, signal)
      const pauseMs = await exchange.ask(state === 'connected', signal)
      return pacing.afterAnswerMs(performance.now() - beganAtMs, pauseMs)
    } catch (cause) {
      // The loop has ended, or an event asks for a new request.
      if (signal.aborted) return 0
      return recover(asCometError(cause))
    }
  }

  function onBatch(batch: Batch, isHeld: boolean): void {
    identity.takesOver = false
    identity.isProven ||= isHeld
    if (isHeld) pacing.onHeld()
    if (bringsNews(batch)) pacing.onNews()
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
    // Its client would stay in its groups until its idle time is over.
    if (identity.registration && /^COMET_IDENTITY/.test(code)) void sayGoodbye(http, identity, false)
    if (endsClient(code)) identity.forget(code)
    mustTellForgotten ||= isDead
    const isRenewed = isDead && identity.renewsToken
    // An answer ends an outage: what follows is counted anew.
    if (isDead) pacing.onExcused()
    if (isRenewed && identity.isProven) {
      transition(LOST)
      return 0
    }
    const willRetry = failure.willRetry || isRenewed
    const error = new CometError(code, willRetry, failure)
    let pauseMs = 0
    if (willRetry) {
      pauseMs = pacing.afterFailureMs(isDead, retryAfterSeconds)
      transition(FAILED)
    } else {
      // Who subscribes again takes the client back.
      identity.takesOver = true
      stop(error)
    }
    listeners.call('log', code, pauseMs)
    report(error)
    return pauseMs
  }

  function report(error: CometError): void {
    listeners.call('failure', identity.token, alias, error)
    emit('error', error)
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

  /** Asks at once, so that the page soon knows whether it is connected: the open request may be dead. */
  function wake(): void {
    transition(LOST)
    attempt.abort()
  }

  function transition(event: ConnectionEvent): void {
    const previous = state
    const next = event[previous]
    if (!next) return
    state = next
    if (next === 'connected') upstream.hurry()
    listeners.call('log', next)
    emit('statechange', { state: next, previous })
  }
}
