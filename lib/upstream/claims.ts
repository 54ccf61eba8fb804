import { randomUUID } from 'node:crypto'
import { CallBatch } from '../call-batch.ts'
import type { Claim, ClaimOutcome, ClaimReply, ICometStateProvider } from '../comet-state-provider.ts'
import { withDeadline } from '../deadline.ts'
import type { Reply } from './reply.ts'

/**
 * How long a key is known. A page repeats what it sends for half of this, so that no repetition finds its key
 * forgotten, and runs the handler again.
 */
const KNOWN_SECONDS = 600

/** How many claims that failed are kept. */
const MAX_FAILED = 10_000

/** Whose key it is: of one client, and no later bearer of its public token. */
export type ClaimedKey = Pick<Claim, 'publicToken' | 'generation' | 'key'>

/** Claims the keys of what pages send, and records what the runs of their handlers come to. */
export class Claims {
  readonly #claims: CallBatch<Claim, ClaimOutcome>
  readonly #replies: CallBatch<ClaimReply, true>
  readonly #runSeconds: number
  /**
   * Of claims that failed, the names of their runs: they may have come through. No handler has run for them, so that who
   * asks again goes on with the same run.
   */
  readonly #failed = new Map<string, string>()

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
    const name = JSON.stringify([key.publicToken, key.generation, key.key])
    const run = this.#failed.get(name) ?? randomUUID()
    this.#failed.delete(name)
    try {
      const claim = { ...key, run, runSeconds: this.#runSeconds, seconds: KNOWN_SECONDS }
      const outcome = await this.#claims.add(claim)
      return outcome === 'claimed' ? { run } : outcome
    } catch (error) {
      this.#noteFailed(name, run)
      throw error
    }
  }

  /** Resolves when it is recorded. */
  async settle(key: ClaimedKey, run: string, reply: Reply): Promise<void> {
    await this.#replies.add({ ...key, run, reply: JSON.stringify(reply) })
  }

  #noteFailed(name: string, run: string): void {
    this.#failed.set(name, run)
    const [oldest] = this.#failed.keys()
    if (this.#failed.size > MAX_FAILED && oldest !== undefined) this.#failed.delete(oldest)
  }
}
