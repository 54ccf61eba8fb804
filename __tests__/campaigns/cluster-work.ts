import type { CometChannel, CometError } from 'koa-comet/client'
import type { SeededRandom } from '../../providers/contract/seeded-random.ts'
import type { SendFact } from './cluster-facts.ts'
import { WORK_NAME, type WorkOrder } from './cluster-orders.ts'
import { machineMs } from './machine-clock.ts'

/** Now and then a handler takes long, so that its node may be killed meanwhile. */
const LONG_WORK_MS = 1000
const SHORT_WORK_MS = 20
const LONG_WORK_PERCENT = 20

/** What one life of a page sends, numbered from 1 on. */
export class PageWork {
  readonly #channel: CometChannel
  readonly #sender: string
  readonly #random: SeededRandom
  readonly #facts: SendFact[]
  #sent = 0

  /** @param facts where it is written down what became of it */
  constructor(channel: CometChannel, sender: string, random: SeededRandom, facts: SendFact[]) {
    this.#channel = channel
    this.#sender = sender
    this.#random = random
    this.#facts = facts
  }

  /** Resolves when it is known what became of it. */
  async send(): Promise<void> {
    this.#sent += 1
    const isLong = this.#random.chance(LONG_WORK_PERCENT)
    const workMs = this.#random.below(isLong ? LONG_WORK_MS : SHORT_WORK_MS)
    const order: WorkOrder = { sender: this.#sender, number: this.#sent, workMs }
    const fact = { sender: order.sender, number: order.number, calledMs: machineMs() }
    const settled = await this.#channel.send(WORK_NAME, order).then(
      (result) => ({ outcome: 'resolved', result }),
      ({ code }: CometError) => ({ outcome: code }),
    )
    this.#facts.push({ ...fact, settledMs: machineMs(), ...settled })
  }
}
