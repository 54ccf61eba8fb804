import type { Claim, ClaimOutcome, ClaimReply } from '../../lib/comet-claim.ts'
import { MAX_CLAIMS_PER_CLIENT } from '../../lib/comet-claim.ts'
import { BoundedReplies } from './bounded-replies.ts'

interface StoredClaim {
  readonly run: string
  /** Until when the run is taken for alive, on the store's clock. */
  readonly runsUntil: number
  /** Until when the claim is known. */
  readonly until: number
  /** Whether there was a reply, which may have been dropped. */
  isSettled: boolean
}

/** The claims of the clients of a channel, and what came of them. */
export class ClaimTable {
  readonly #now: () => number
  /** By the client's generation, which no other has; the oldest claim of each first. */
  readonly #ofClients = new Map<number, Map<string, StoredClaim>>()
  readonly #replies = new BoundedReplies<StoredClaim>()

  /** @param now milliseconds on a clock that never jumps */
  constructor(now: () => number) {
    this.#now = now
  }

  /** Claims a key of a client that exists. */
  claim({ generation, key, run, runSeconds, seconds }: Claim): Exclude<ClaimOutcome, 'gone'> {
    const now = this.#now()
    const claims = this.#ofClients.get(generation) ?? new Map<string, StoredClaim>()
    const known = claims.get(key)
    if (known && known.until > now) {
      const reply = this.#replies.get(known)
      if (reply !== undefined) return { reply }
      if (known.isSettled) return 'unknown'
      if (known.run !== run) return known.runsUntil > now ? 'running' : 'unknown'
    }
    this.#forget(claims, key)
    const runsUntil = now + runSeconds * 1000
    claims.set(key, { run, runsUntil, until: now + seconds * 1000, isSettled: false })
    this.#ofClients.set(generation, claims)
    if (claims.size > MAX_CLAIMS_PER_CLIENT) this.#forget(claims, claims.keys().next().value!)
    return 'claimed'
  }

  settle({ generation, key, run, reply }: ClaimReply): void {
    const claim = this.#ofClients.get(generation)?.get(key)
    if (claim === undefined || claim.isSettled || claim.run !== run || claim.until <= this.#now()) return
    claim.isSettled = true
    this.#replies.set(claim, reply)
  }

  /** Forgets all claims of a client. */
  forgetClient(generation: number): void {
    const claims = this.#ofClients.get(generation)
    for (const key of claims?.keys() ?? []) this.#forget(claims!, key)
    this.#ofClients.delete(generation)
  }

  /** Forgets the claims whose time is over. */
  forgetExpired(): void {
    const now = this.#now()
    for (const [generation, claims] of this.#ofClients) {
      for (const [key, { until }] of claims) if (until <= now) this.#forget(claims, key)
      if (claims.size === 0) this.#ofClients.delete(generation)
    }
  }

  #forget(claims: Map<string, StoredClaim>, key: string): void {
    const claim = claims.get(key)
    if (claim) this.#replies.delete(claim)
    claims.delete(key)
  }
}
