import type { WireMessage } from '../../lib/wire.ts'

export interface Asking {
  readonly cursor?: string | undefined
  readonly headers?: Readonly<Record<string, string>>
  /** For how long it wants to be held at most. 0: it takes what there is, and ends. */
  readonly waitSeconds?: number | undefined
}

/**
 * What a page is told at one time: some messages, a reset first if there was one; or else one control message, that
 * ends the request.
 */
export interface Told {
  /** Of a request that is refused, or whose client is gone by now, an error status. */
  readonly status: number
  readonly headers: Headers
  /** What the page sends as `Last-Event-ID` next. */
  readonly cursor: string | null
  readonly outcome: string | null
  readonly messages: readonly WireMessage[]
  /** The bytes of the answer so far, as text. */
  readonly body: string
  /** Whether a page is to come again elsewhere, or later. */
  readonly isSentAway: boolean
}

/** One request of a page. */
export interface Exchange {
  /** Nothing more can come. */
  readonly isOver: boolean
  /** What came with the beginning of an answer: of one that goes on, perhaps nothing. */
  begun(): Promise<Told>
  /** What the page is told next. Rejects if the connection is cut. */
  next(): Promise<Told>
  /** The page goes away, with what had come. */
  drop(): Promise<Told | undefined>
}

/** How a page asks. All that differs by transport is said here, and nothing of it in the tests. */
export interface TestTransport {
  readonly name: string
  /** What the next request accepts. */
  readonly accept: string
  open(url: string, privateToken: string, asking?: Asking): Exchange
  /** A request that stays as long as it can without a message: a poll is not held. */
  visit(url: string, privateToken: string, asking?: Asking): Exchange
}
