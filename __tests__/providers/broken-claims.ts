import type { Claim, ClaimOutcome, ClaimReply, ICometStateProvider } from '../../lib/comet-state-provider.ts'
import { ProviderWrapper } from '../support/provider-wrapper.ts'
import type { Swept } from './broken-leases.ts'

/** Providers whose claims are wrong, each in one way. */

abstract class ChangesClaims extends ProviderWrapper {
  protected abstract changed<T extends ClaimReply | Claim>(claim: T): T

  override claim(claims: readonly Claim[]): Promise<ClaimOutcome[]> {
    return super.claim(claims.map((claim) => this.changed(claim)))
  }

  override settle(replies: readonly ClaimReply[]): Promise<void> {
    return super.settle(replies.map((reply) => this.changed(reply)))
  }
}

/** Known to the provider that was asked, and to no other. */
export class KeepsClaimsToItself extends ChangesClaims {
  readonly #prefix = String(performance.now())

  protected override changed<T extends ClaimReply | Claim>(claim: T): T {
    return { ...claim, key: this.#prefix + claim.key }
  }
}

/** Knows that somebody has a claim, and not who. */
export class ForgetsWhoClaimed extends ProviderWrapper {
  #attempts = 0

  override claim(claims: readonly Claim[]): Promise<ClaimOutcome[]> {
    this.#attempts += 1
    return super.claim(claims.map((claim) => ({ ...claim, run: `${claim.run} ${this.#attempts}` })))
  }
}

export class AnswersClaimsInAnotherOrder extends ProviderWrapper {
  override async claim(claims: readonly Claim[]): Promise<ClaimOutcome[]> {
    return (await super.claim(claims)).reverse()
  }
}

export class MendsReplies extends ProviderWrapper {
  override settle(replies: readonly ClaimReply[]): Promise<void> {
    return super.settle(replies.map((each) => ({ ...each, reply: JSON.stringify(JSON.parse(each.reply)) })))
  }
}

/** Lets the newest reply stand. */
export class LetsAnyRunSettle extends ProviderWrapper {
  readonly #runs = new Map<string, string>()

  override async claim(claims: readonly Claim[]): Promise<ClaimOutcome[]> {
    const outcomes = await super.claim(claims)
    for (const [index, { key, run }] of claims.entries()) {
      if (outcomes[index] === 'claimed') this.#runs.set(key, run)
    }
    return outcomes
  }

  override settle(replies: readonly ClaimReply[]): Promise<void> {
    return super.settle(replies.map((each) => ({ ...each, run: this.#runs.get(each.key) ?? each.run })))
  }
}

/** Takes for free what nobody is working at. */
export class GivesTheClaimOfADeadRunAgain extends ProviderWrapper {
  override async claim(claims: readonly Claim[]): Promise<ClaimOutcome[]> {
    const outcomes = await super.claim(claims)
    return outcomes.map((outcome) => (outcome === 'unknown' ? 'claimed' : outcome))
  }
}

export class TakesNoLateReply extends ProviderWrapper {
  readonly #now: () => number
  readonly #deadAt = new Map<string, number>()

  constructor(inner: ICometStateProvider, _swept: Swept, now: () => number) {
    super(inner)
    this.#now = now
  }

  override claim(claims: readonly Claim[]): Promise<ClaimOutcome[]> {
    for (const { run, runSeconds } of claims) this.#deadAt.set(run, this.#now() + runSeconds * 1000)
    return super.claim(claims)
  }

  override settle(replies: readonly ClaimReply[]): Promise<void> {
    return super.settle(replies.filter(({ run }) => this.#now() < (this.#deadAt.get(run) ?? 0)))
  }
}

/** A key is taken when anybody has used it. */
export class SharesKeysAmongClients extends ProviderWrapper {
  readonly #claimedBy = new Map<string, number>()

  override async claim(claims: readonly Claim[]): Promise<ClaimOutcome[]> {
    const outcomes = await super.claim(claims)
    return outcomes.map((outcome, index) => {
      const { key, generation } = claims[index]!
      const first = this.#claimedBy.get(key) ?? generation
      this.#claimedBy.set(key, first)
      return outcome === 'claimed' && first !== generation ? 'running' : outcome
    })
  }
}

/** Claims for whoever bears the public token. */
export class ClaimsForAnyGeneration extends ProviderWrapper {
  override async claim(claims: readonly Claim[]): Promise<ClaimOutcome[]> {
    const generations = new Map<string, number>()
    for await (const { publicToken, generation } of this.inner.getClients())
      generations.set(publicToken, generation)
    return super.claim(
      claims.map((claim) => ({
        ...claim,
        generation: generations.get(claim.publicToken) ?? claim.generation,
      })),
    )
  }
}

export class FoldsTheCaseOfKeys extends ChangesClaims {
  protected override changed<T extends ClaimReply | Claim>(claim: T): T {
    return { ...claim, key: claim.key.toLowerCase() }
  }
}

export class ForgetsClaimsEarly extends ProviderWrapper {
  override claim(claims: readonly Claim[]): Promise<ClaimOutcome[]> {
    return super.claim(claims.map((claim) => ({ ...claim, seconds: claim.seconds / 2 })))
  }
}

/** Has room for so many claims of all clients together. */
export class BoundsTheClaimsOfAllClients extends ChangesClaims {
  readonly #keys: string[] = []

  protected override changed<T extends ClaimReply | Claim>(claim: T): T {
    const name = `${claim.generation} ${claim.key}`
    if (!this.#keys.includes(name)) this.#keys.push(name)
    return { ...claim, key: `${claim.key} ${Math.floor(this.#keys.length / 32)}` }
  }
}

/** A client is seen when it sends. */
export class SeesWhoeverClaims extends ProviderWrapper {
  override async claim(claims: readonly Claim[]): Promise<ClaimOutcome[]> {
    const asked = { holder: 'page', take: false, returns: true, seconds: 3600, goodbye: false }
    await super.renewLeases(
      claims.map(({ publicToken, generation }) => ({ publicToken, generation, ...asked })),
    )
    return super.claim(claims)
  }
}
