import { randomUUID } from 'node:crypto'
import { CallBatch } from '../call-batch.ts'
import type { Claim, ClaimOutcome, ClaimReply, ICometStateProvider } from '../comet-state-provider.ts'
import { withDeadline } from '../deadline.ts'
import type { Reply } from './reply.ts'

/** How long a key is known. A page repeats what it sends for half of this, and one thing at a time. */
const KNOWN_SECONDS = 600

/** How many of those are kept. */
const MAX_UNUSED = 10_000

/** Whose key it is: of one client, and no later bearer of its public token. */
export type ClaimedKey = Pick<Claim, 'publicToken' | 'generation' | 'key'>

/** Claims the keys of what pages send, and records what the runs of their handlers come to. */
export class Claims {
  readonly #claims: CallBatch<Claim, ClaimOutcome>
  readonly #replies: CallBatch<ClaimReply, true>
  readonly #runSeconds: number
  /**
   * The names of runs whose claims failed, and may have come through, or which came to nothing: no handler has run for
   * them, so that who asks again goes on with the same run.
   */
  readonly #unused = new Map<string, string>()

  constructor(provider: ICometStateProvider, timeoutSeconds: number, runSeconds: number) {
    this.#runSeconds = runSeconds
    this.#claims = new CallBatch((claims) =>
      withDeadline(timeoutSeconds, 'claim', () => provider.claim(claims)),
    )
    this.#replies = new CallBatch(async (replies) => {
      await withDeadline(timeoutSeconds, 'settle', () => provider.settle(replies))
      return replies.map(() => true)
    })
  }

  /** Resolves with the run that may go ahead, or with what became of another one. */
  async claim(key: ClaimedKey): Promise<{ readonly run: string } | Exclude<ClaimOutcome, 'claimed'>> {
    const name = nameOf(key)
    const run = this.#unused.get(name) ?? randomUUID()
    this.#unused.delete(name)
    try {
      const claim = { ...key, run, runSeconds: this.#runSeconds, seconds: KNOWN_SECONDS }
      const outcome = await this.#claims.add(claim)
      return outcome === 'claimed' ? { run } : outcome
    } catch (error) {
      // One that is known to hold the claim goes before one that may.
      if (!this.#unused.has(name)) this.#noteUnused(name, run)
      throw error
    }
  }

  /** No handler has run, nor will, for this run: who asks again goes on with it. */
  giveBack({ run, ...key }: ClaimedKey & { readonly run: string }): void {
    this.#noteUnused(nameOf(key), run)
  }

  /** Resolves when it is recorded. */
  async settle(key: ClaimedKey, run: string, reply: Reply): Promise<void> {
    await this.#replies.add({ ...key, run, reply: JSON.stringify(reply) })
  }

  #noteUnused(name: string, run: string): void {
    this.#unused.set(name, run)
    const [oldest] = this.#unused.keys()
    if (this.#unused.size > MAX_UNUSED && oldest !== undefined) this.#unused.delete(oldest)
  }
}

function nameOf({ publicToken, generation, key }: ClaimedKey): string {
  return JSON.stringify([publicToken, generation, key])
}
