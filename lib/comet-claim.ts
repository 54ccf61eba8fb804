/** The most claims of one client that a provider has to know: its newest. */
export const MAX_CLAIMS_PER_CLIENT = 32

/**
 * Claims the key of something that a client sends. A claim is known for `seconds`, if it is among the newest
 * {@link MAX_CLAIMS_PER_CLIENT} of its client, and as long as that exists.
 */
export interface Claim {
  readonly publicToken: string
  readonly generation: number
  /** The page's own name for what it sends: the same for each repetition. Of each client, and of no other. */
  readonly key: string
  /** The random name of this attempt to run its handler. */
  readonly run: string
  /** How long a run may take until it is taken for dead, by the clock, be it that no process runs meanwhile. */
  readonly runSeconds: number
  readonly seconds: number
}

/**
 * `claimed`: this run is the one, and has not settled. `running`: another has it, and its time is not over. `unknown`: another had it, and
 * left no reply in its time, or the reply was dropped (then also of this run). `gone`: no client with this public token and generation exists.
 * With a reply: a run has come to this.
 */
export type ClaimOutcome = 'claimed' | 'running' | 'unknown' | 'gone' | { readonly reply: string }

/** What a run came to, also if its time was over by then. */
export interface ClaimReply extends Pick<Claim, 'publicToken' | 'generation' | 'key' | 'run'> {
  /** JSON text, of at most about the size of a message. */
  readonly reply: string
}
