import type { ClientFact, Contact, DepartureFact, GoodbyeFact, Stray } from './cluster-facts.ts'
import type { Problem } from './problems.ts'

/** Who says goodbye is removed so much later, at the earliest and at the latest. */
const GOODBYE_MS = 5000
const GOODBYE_AT_MOST_MS = 10_000

/** Who is not seen is removed after its idle time at the earliest, and at the latest so much after a third more. */
const IDLE_AT_MOST_MS = 10_000

/** What is seen by different processes is seen a little later than it was. */
const EARLY_SLACK_MS = 100
/** The processes share the machine with others. */
const LATE_SLACK_MS = 3000

/** How long a request may lie at a node that has much else to do. One that went on for longer was held there. */
const UNREAD_MS = 1000
const STRAY_MS = 3000

/** All that is known of a client's presence. */
export interface PresenceFacts extends ClientFact {
  readonly departure?: DepartureFact | undefined
  /** When its removal was seen in the log. */
  readonly removedMs?: number | undefined
  readonly contacts: readonly Contact[]
  /** The end of its last request of any kind. */
  readonly lastMs: number
  readonly goodbyes: readonly GoodbyeFact[]
  readonly strays: readonly Stray[]
}

/** When a client that is gone has to be removed at the latest. */
export function removalDueMs(facts: PresenceFacts): number {
  const { idleSeconds, lastMs } = facts
  const heardMs = isOvertaken(facts) ? undefined : lastGoodbye(facts)?.heardMs
  const idleMs = (idleSeconds * 4000) / 3 + IDLE_AT_MOST_MS
  return (heardMs === undefined ? lastMs + idleMs : heardMs + GOODBYE_AT_MOST_MS) + LATE_SLACK_MS
}

/** Whether a request of a page that left may have been taken for its return: a node got to it after the goodbye. */
export function isOvertaken(facts: PresenceFacts): boolean {
  const { saidMs = Number.POSITIVE_INFINITY } = lastGoodbye(facts) ?? {}
  const { strays, contacts } = facts
  return (
    strays.some(({ fromMs, toMs }) => toMs >= saidMs - STRAY_MS && toMs - fromMs < UNREAD_MS) ||
    contacts.some(({ fromMs }) => fromMs >= saidMs)
  )
}

/** That of a page that left, if a node took it. */
function lastGoodbye({ departure, goodbyes }: PresenceFacts): GoodbyeFact | undefined {
  return departure?.kind === 'left' ? goodbyes.find(({ saidMs }) => saidMs >= departure.atMs) : undefined
}

/** Whether a page that is there was away for so long that its client was rightly removed. */
export function isRightlyForgotten({ removedMs, contacts, goodbyes, idleSeconds }: PresenceFacts): boolean {
  if (removedMs === undefined) return false
  const seenMs = Math.max(0, ...contacts.map(({ fromMs, toMs }) => (fromMs > removedMs ? 0 : toMs)))
  const awayMs = removedMs - Math.min(seenMs, removedMs)
  const isAfterGoodbye = goodbyes.some(
    ({ saidMs }) => seenMs <= saidMs + EARLY_SLACK_MS && removedMs - saidMs >= GOODBYE_MS - EARLY_SLACK_MS,
  )
  return isAfterGoodbye || awayMs >= idleSeconds * 1000 - EARLY_SLACK_MS
}

/**
 * Returns what is wrong with when a client was removed, or that it was not: one that is gone in its time, and one that is
 * there never.
 *
 * @param nowMs until when the log was read
 */
export function checkPresence(facts: PresenceFacts, nowMs: number): Problem[] {
  const { publicToken: who, departure, removedMs } = facts
  if (departure === undefined) {
    const isWrong = removedMs !== undefined && !isRightlyForgotten(facts)
    return isWrong ? [{ kind: 'client', text: `${who} is there, and was removed` }] : []
  }
  if ((removedMs ?? nowMs) > removalDueMs(facts)) {
    const lateMs = Math.round((removedMs ?? nowMs) - departure.atMs)
    return [{ kind: 'client', text: `${who} ${departure.kind}, and is there ${lateMs} ms later` }]
  }
  if (removedMs === undefined) return []
  const goodbye = lastGoodbye(facts)
  const isEarly = goodbye
    ? removedMs - goodbye.saidMs < GOODBYE_MS - EARLY_SLACK_MS
    : !isRightlyForgotten(facts)
  const earlyMs = Math.round(removedMs - departure.atMs)
  return isEarly
    ? [{ kind: 'client', text: `${who} ${departure.kind}, and is gone after ${earlyMs} ms` }]
    : []
}
