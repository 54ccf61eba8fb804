import { MAX_CLAIMS_PER_CLIENT } from 'koa-comet'

/** What is known of a key that a client claimed. */
export interface KnownClaim {
  readonly generation: number
  readonly key: string
  readonly run: string
  /** Until when the run is taken for alive, and until when the claim is known: as `at` of a change. */
  readonly runsUntil: number
  readonly until: number
  /** Absent until the run says what it came to; null once that was dropped. */
  readonly reply?: string | null
}

const MAX_REPLIES_BYTES = 16 * 1024 * 1024

/** The claims of all clients, the oldest of each first. */
export class Claims {
  readonly #ofClients = new Map<number, Map<string, KnownClaim>>()
  /** Those that have a reply, the oldest first. */
  readonly #settled = new Map<KnownClaim, number>()
  #replyBytes = 0

  find(generation: number, key: string, at: number): KnownClaim | undefined {
    const claim = this.#ofClients.get(generation)?.get(key)
    return claim && claim.until > at ? claim : undefined
  }

  put(claim: KnownClaim): void {
    const { generation, key, reply } = claim
    const claims = this.#ofClients.get(generation) ?? new Map<string, KnownClaim>()
    this.#ofClients.set(generation, claims)
    this.#dropReply(claims.get(key))
    // What is claimed anew is the newest.
    if (reply === undefined) claims.delete(key)
    claims.set(key, claim)
    if (reply) {
      this.#settled.set(claim, Buffer.byteLength(reply))
      this.#replyBytes += Buffer.byteLength(reply)
    }
    if (claims.size > MAX_CLAIMS_PER_CLIENT) this.#forget(claims, claims.keys().next().value!)
    for (const oldest of this.#settled.keys()) {
      if (this.#replyBytes <= MAX_REPLIES_BYTES) return
      this.#dropReply(oldest)
      this.#ofClients.get(oldest.generation)?.set(oldest.key, { ...oldest, reply: null })
    }
  }

  forgetClient(generation: number): void {
    for (const claim of this.#ofClients.get(generation)?.values() ?? []) this.#dropReply(claim)
    this.#ofClients.delete(generation)
  }

  forgetOld(at: number): void {
    for (const [generation, claims] of this.#ofClients) {
      for (const { key, until } of claims.values()) if (until <= at) this.#forget(claims, key)
      if (claims.size === 0) this.#ofClients.delete(generation)
    }
  }

  *all(): Generator<KnownClaim> {
    for (const claims of this.#ofClients.values()) yield* claims.values()
  }

  #forget(claims: Map<string, KnownClaim>, key: string): void {
    this.#dropReply(claims.get(key))
    claims.delete(key)
  }

  #dropReply(claim: KnownClaim | undefined): void {
    if (claim === undefined) return
    this.#replyBytes -= this.#settled.get(claim) ?? 0
    this.#settled.delete(claim)
  }
}
