import type { LeaseRenewal, Operation } from '../../lib/comet-state-provider.ts'
import type { Model } from './model.ts'
import type { PlannedOperation, PlannedRenewal } from './steps.ts'

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
    if (planned.kind !== 'remove') return planned
    const { kind, publicToken, earlier } = planned
    return { kind, publicToken, generation: this.#model.bearerOf(publicToken, earlier).generation }
  }

  renewalOf({ earlier, acknowledgedBelowHead, ...asked }: PlannedRenewal): LeaseRenewal {
    const { generation } = this.#model.bearerOf(asked.publicToken, earlier)
    if (acknowledgedBelowHead === undefined) return { ...asked, generation }
    const messageId = Math.max(0, this.#head - acknowledgedBelowHead)
    return { ...asked, generation, acknowledged: { epoch: this.epoch, messageId } }
  }

  hashOf(planned: { readonly publicToken: string; readonly earlier: boolean }): string {
    return this.#model.bearerOf(planned.publicToken, planned.earlier).privateTokenHash
  }
}
