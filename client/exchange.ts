import { abortWith, pause } from './abortable.ts'
import { CometError } from './comet-error.ts'
import { type DeliveryParts, deliver } from './delivery.ts'
import { HoldLimit } from './hold-limit.ts'
import type { Http } from './http.ts'
import { poll } from './long-polling.ts'
import { lacksSlot } from './slots.ts'
import { type StreamEvents, stream } from './streaming.ts'
import { type Batch, bringsNews, type Question, questionOf } from './transport.ts'
import {
  ANSWERED,
  CUT,
  choose,
  DOUBTFUL,
  EARLY_MS,
  ENDED,
  FIRST_BLOCK_MS,
  isProbeDue,
  NO_EVIDENCE,
  type Observation,
  OTHER,
  PASSED,
  REFUSED,
  type TransportName,
  weigh,
} from './transport-choice.ts'

/** How long messages may wait for their listeners until the page asks again. */
const PATIENCE_MS = 20_000
/** The server cuts a stream whose reader makes no progress for 10 s: the page ends it before. */
const STREAM_PATIENCE_MS = 8000
/** How often a page asks for which there is no connection to hold. */
const CROWDED_MS = 5000

/** What an exchange works with. */
export interface ExchangeParts extends DeliveryParts {
  readonly http: Http
  /** Which may be used, the preferred first. */
  readonly transports: readonly TransportName[]
}

/** What an exchange tells the loop that it is a part of. */
export interface ExchangeEvents extends Omit<StreamEvents, 'onHead'> {
  /**
   * A batch came, and is about to be handed out.
   *
   * @param isHeld the server had none at once, and waited for it; or no request of this page is held at present
   */
  onBatch(batch: Batch, isHeld: boolean): void
  /** What failed had been held until then: it is not that the server refuses. */
  onHeldCut(): void
  /** A stream would get through, or the slot is lost: the open request has to be ended, and the next to be sent. */
  onAskAnew(): void
}

/** How a page asks for messages: one request at a time, by the transport that works here. */
export interface Exchange {
  /** The transport in use, or to be used first. */
  readonly transport: TransportName
  /**
   * Sends one request, and hands out all that it brings. Returns how long to wait before the next; rejects with what
   * failed, and as soon as the signal aborts.
   */
  ask(isConnected: boolean, signal: AbortSignal): Promise<number>
  /** Takes into account what was observed elsewhere. */
  note(observation: Observation): void
  /** Ends what goes on beside `ask`. */
  end(): void
}

export function createExchange(parts: ExchangeParts, events: ExchangeEvents): Exchange {
  const { http, identity, listeners, transports } = parts
  const mayPoll = transports.includes('long-polling')
  const streamLimit = new HoldLimit()
  const pollLimit = new HoldLimit()
  let evidence = { ...NO_EVIDENCE, avoidedUntilMs: identity.avoidedUntilMs }
  /** The first block of a stream comes as fast as any answer. Without polls, nothing is gained by hurry. */
  let firstBlockMs = mayPoll ? FIRST_BLOCK_MS : http.limitMs
  let probing: AbortController | undefined
  /** Listeners keep the last batch waiting: the next request is to show that the page lives, and whether the server does. */
  let isBehind = false

  return {
    get transport() {
      return choose(evidence, transports)
    },
    ask,
    note,
    end: () => probing?.abort(),
  }

  async function ask(isConnected: boolean, signal: AbortSignal): Promise<number> {
    identity.keep(listeners.isReady(0))
    const isStream = choose(evidence, transports) === 'streaming' && !(isBehind && mayPoll)
    const slot = abortWith(signal)
    const isCrowded = await lacksSlot(http.urlOf(''), slot.signal, events.onAskAnew)
    const isAtOnce = isCrowded || isBehind || (!isStream && (evidence.isSuspect || !isConnected))
    /** Whether the server holds the request: for more than it has at once. */
    let isHeld = !isStream && !isAtOnce
    const holdLimit = isStream ? streamLimit : pollLimit
    const longestSeconds = isStream ? undefined : Math.ceil(http.holdSeconds)
    const waitSeconds = isAtOnce ? 0 : (holdLimit.holdSeconds ?? longestSeconds)
    // With a token of the app's it is not known, and may be short.
    const idleSeconds = identity.registration?.connectionIdleSeconds ?? 20
    // A quarter of the idle time: the server takes the page for idle later.
    const patienceMs = Math.min(isStream ? STREAM_PATIENCE_MS : PATIENCE_MS, idleSeconds * 250)
    const question = questionOf(http, identity, waitSeconds)
    if (isHeld && isProbeDue(evidence, Date.now())) void probe(question)
    const askedAtMs = performance.now()
    let openedAtMs: number | undefined
    const onHead = () => {
      openedAtMs ??= performance.now()
    }
    const batches = isStream
      ? stream(question, firstBlockMs, signal, { ...events, onHead })
      : poll(question, signal)
    /** Something came after the first block of a stream: nothing holds it back. */
    let isFlowing = false
    let hasNews = false
    let pauseMs = 0
    try {
      for await (const batch of batches) {
        onHead()
        pauseMs = batch.pauseMs ?? 0
        hasNews ||= bringsNews(batch)
        events.onBatch(batch, isHeld || isCrowded)
        events.onSign(patienceMs)
        const patience = abortWith(signal)
        const delivery = deliver(batch, isHeld, parts, signal).then(() => true)
        const isDone = await Promise.race([delivery, pause(patienceMs, patience.signal)])
        patience.abort()
        signal.throwIfAborted()
        isBehind = !isDone
        if (isBehind) return pauseMs
        // After a poll, the next does so.
        if (isStream) identity.keep(true)
        isFlowing = isHeld
        isHeld ||= isStream && !isAtOnce
      }
      if (isHeld) holdLimit.onAnswered()
      const answeredInMs = openedAtMs! - askedAtMs
      if (!isStream && isAtOnce) firstBlockMs = Math.max(FIRST_BLOCK_MS, answeredInMs * 2)
      note(isStream ? ENDED : answeredInMs < FIRST_BLOCK_MS ? ANSWERED : OTHER)
      return isCrowded && !hasNews ? Math.max(pauseMs, CROWDED_MS) : pauseMs
    } catch (cause) {
      if (signal.aborted) throw cause
      const nowMs = performance.now()
      const failure = cause instanceof CometError ? cause : undefined
      const { code, status = 500, willRetry = true } = failure ?? {}
      // Then something between page and server may have ended it.
      const isCut = isHeld && (!failure || code === 'COMET_ANSWER_IS_INVALID')
      if (isCut && holdLimit.onCut(nowMs - askedAtMs)) events.onHeldCut()
      // Silence, or an answer that is no stream: that may be streams alone.
      const isDoubtful = isStream && (code === 'COMET_NO_ANSWER' || status < 300 || status === 406)
      const isEarly = isStream && willRetry && nowMs - openedAtMs! < EARLY_MS
      note(isDoubtful && !isFlowing ? DOUBTFUL : isDoubtful || isEarly ? CUT : OTHER)
      // The poll that follows at once says what is wrong, if it is not the stream alone.
      if (isDoubtful && mayPoll && !isHeld) return 0
      throw cause
    } finally {
      slot.abort()
    }
  }

  /** Tries beside the poll that is held whether a stream gets through. */
  async function probe(question: Question): Promise<void> {
    if (probing) return
    probing = new AbortController()
    const { signal } = probing
    const tried = stream(question, firstBlockMs, signal)
    try {
      await tried.next()
      await tried.return()
      note(PASSED)
      events.onAskAnew()
    } catch (cause) {
      // What the server itself refuses for now, it may give the next time.
      const { status = 0 } = cause as Partial<CometError>
      if (!signal.aborted && status < 500) note(REFUSED)
    }
    probing = undefined
  }

  function note(observation: Observation): void {
    evidence = weigh(evidence, observation)
    identity.avoidedUntilMs = evidence.avoidedUntilMs
  }
}
