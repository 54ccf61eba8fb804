import type { LeaseRenewal, Operation } from '../../lib/comet-state-provider.ts'
import type { Model } from './model.ts'
import type { PlannedOperation, PlannedRenewal } from './steps.ts'

type Filled<T> = T extends unknown ? Omit<T, 'earlier'> & { readonly generation: number } : never

/** Fills into planned calls what only a running history knows. */
export class CallContext {
  readonly epoch: string
  readonly #model: Model
  readonly #head: number

  constructor(model: Model, epoch: string, head: number) {
    this.#model = model
    this.epoch = epoch
    this.#head = head
  }

  operationOf(planned: PlannedOperation): Operation {
    return 'earlier' in planned ? this.filled(planned) : planned
  }

  renewalOf({ acknowledgedBelowHead, ...planned }: PlannedRenewal): LeaseRenewal {
    const renewal = this.filled(planned)
    if (acknowledgedBelowHead === undefined) return renewal
    const messageId = Math.max(0, this.#head - acknowledgedBelowHead)
    return { ...renewal, acknowledged: { epoch: this.epoch, messageId } }
  }

  /** The same with the generation of whom it is about. */
  filled<T extends { readonly publicToken: string; readonly earlier: boolean }>(planned: T): Filled<T> {
    const { earlier, ...asked } = planned
    const { generation } = this.#model.bearerOf(planned.publicToken, earlier)
    return { ...asked, generation } as Filled<T>
  }

  hashOf(planned: { readonly publicToken: string; readonly earlier: boolean }): string {
    return this.#model.bearerOf(planned.publicToken, planned.earlier).privateTokenHash
  }
}
