import type { Audience } from '../../lib/audience.ts'
import type { Entry } from '../../lib/comet-state-provider.ts'

/** What is written down while a cluster runs, and checked afterwards. All times are by the machine's clock. */

/** An item of the log, and when it was seen: it was there before. */
export interface LoggedEntry {
  readonly entry: Entry
  readonly atMs: number
}

/** A message that a node sent. */
export interface MessageFact {
  readonly audience: Audience
  readonly beganMs: number
  /** When it was acknowledged, and with which id. Absent: never. */
  readonly endedMs?: number
  readonly id?: number
}

/** The run of a handler of what pages send. */
export interface RunFact {
  /** One life of a page. */
  readonly sender: string
  /** Rising with each send of this sender. */
  readonly number: number
  readonly node: string
  readonly atMs: number
}

/** What became of what a page sent. */
export interface SendFact {
  readonly sender: string
  readonly number: number
  readonly calledMs: number
  readonly settledMs: number
  /** `'resolved'`, or the code that it was rejected with. */
  readonly outcome: string
  /** What it resolved with. */
  readonly result?: unknown
}

export interface KillFact {
  readonly node: string
  readonly atMs: number
}

/** A time in which a page was told that it is a member: from the end of the join to the call of the leave. */
export interface MembershipFact {
  readonly publicToken: string
  readonly group: string
  readonly fromMs: number
  readonly toMs: number
}

/** A list of a group's members that a page was given. */
export interface ListFact {
  readonly group: string
  readonly asOf: number
  readonly answeredMs: number
  readonly publicTokens: readonly string[]
}

/** The page of a client was told that messages may be missing. */
export interface ResetFact {
  readonly reason: string
  /** The client that it is about. */
  readonly publicToken: string | undefined
}

/** A client that a page has been. */
export interface ClientFact {
  readonly publicToken: string
  readonly privateToken: string
  readonly user: string
  readonly idleSeconds: number
}

/** How a page ended: it left, or it was there no more. */
export interface DepartureFact {
  readonly publicToken: string
  readonly kind: 'left' | 'died'
  readonly atMs: number
}

/** A time in which a node was at a request of a client. */
export interface Contact {
  readonly fromMs: number
  readonly toMs: number
}

/** A time in which a request of a client was on its way, which got no answer: its node may get to it any time after. */
export type Stray = Contact

/** A goodbye that a node took, and when it was answered. Absent: never. */
export interface GoodbyeFact {
  readonly saidMs: number
  readonly heardMs?: number
}
