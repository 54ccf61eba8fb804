/** How messages come. */
export type TransportName = 'streaming' | 'long-polling'

/** What is known of streams between this page and its server. */
export interface Evidence {
  /** How many streams in a row were cut soon after they began. */
  readonly earlyCuts: number
  /** A stream failed as if something between held it back or cut it; or the server is to blame. A poll will tell. */
  readonly isSuspect: boolean
  /** Streams are not used; from then on, by `Date.now()`, a probe may end that. 0: they are used. */
  readonly avoidedUntilMs: number
  /** How long streams are avoided the next time. */
  readonly avoidMs: number
}

/** Whoever is there says something within this. */
export const FIRST_BLOCK_MS = 3000
/** A stream that is cut sooner may be cut by something that lets no stream through. */
export const EARLY_MS = 10_000
const LONGEST_AVOID_MS = 3_600_000

export const NO_EVIDENCE: Evidence = {
  earlyCuts: 0,
  isSuspect: false,
  avoidedUntilMs: 0,
  avoidMs: 300_000,
}

/** What can be observed: what it changes. Nothing is held against streams before a poll was answered in time. */
export type Observation = (evidence: Evidence, nowMs: number) => Partial<Evidence>

/** No first block in time, or silence after it, or an answer that is no stream. */
export const DOUBTFUL: Observation = () => ({ isSuspect: true })

/** A stream was cut within {@link EARLY_MS} of its beginning, or fell silent after more than its first block. */
export const CUT: Observation = ({ earlyCuts }) => ({ earlyCuts: earlyCuts + 1, isSuspect: earlyCuts > 1 })

/** A stream ended on purpose: it came through to its last byte. */
export const ENDED: Observation = () => NO_EVIDENCE

/** A poll was answered within {@link FIRST_BLOCK_MS}. */
export const ANSWERED: Observation = (evidence, nowMs) => (evidence.isSuspect ? avoid(evidence, nowMs) : {})

/** Any other answer or failure: the server is down or slow, or says so. */
export const OTHER: Observation = () => ({ earlyCuts: 0, isSuspect: false })

/** A probe got its first block. */
export const PASSED: Observation = () => ({ avoidedUntilMs: 0 })

/** A probe got none. */
export const REFUSED: Observation = avoid

/** There is a network again: it may be another. */
export const ONLINE: Observation = ({ avoidedUntilMs }, nowMs) => ({
  avoidedUntilMs: Math.min(avoidedUntilMs, nowMs),
})

/** What is known after one more observation. */
export function weigh(evidence: Evidence, observation: Observation, nowMs = Date.now()): Evidence {
  return { ...evidence, ...observation(evidence, nowMs) }
}

/** Which transport to use of those that may be, the preferred first. Nothing speaks against polls. */
export function choose(evidence: Evidence, allowed: readonly TransportName[]): TransportName {
  const isAgainst = evidence.isSuspect || evidence.avoidedUntilMs > 0
  return isAgainst && allowed.includes('long-polling') ? 'long-polling' : allowed[0]!
}

/** Whether streams have been avoided for long enough. */
export function isProbeDue({ avoidedUntilMs }: Evidence, nowMs: number): boolean {
  return avoidedUntilMs > 0 && nowMs >= avoidedUntilMs
}

function avoid({ avoidMs }: Evidence, nowMs: number): Partial<Evidence> {
  return {
    ...NO_EVIDENCE,
    avoidedUntilMs: nowMs + avoidMs,
    avoidMs: Math.min(avoidMs * 2, LONGEST_AVOID_MS),
  }
}
