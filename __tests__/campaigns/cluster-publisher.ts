import { setTimeout as pause } from 'node:timers/promises'
import type { CometStateManager } from 'koa-comet'
import type { Audience } from '../../lib/audience.ts'
import type { SeededRandom } from '../../providers/contract/seeded-random.ts'
import { say } from './campaign-child.ts'
import { type ClusterSaid, type Draft, type PublishOrder, ROOMS, USERS } from './cluster-orders.ts'
import { machineMs } from './machine-clock.ts'
import { contentsOf, MESSAGE_NAME } from './numbered.ts'

const MOST_RECEIVERS = 5

/** Codes of sends of which another node may know what became, if it is asked with the same key. */
const IN_DOUBT = new Set(['COMET_CHANNEL_IS_CLOSED', 'COMET_PROVIDER_IS_UNAVAILABLE', 'COMET_QUEUE_IS_FULL'])

const saying = (said: ClusterSaid): void => say(said)

/** Sends numbered messages to everybody, groups, users and clients, and says so before and after. */
export class ClusterPublisher {
  /** The clients that messages may be addressed to. */
  pages: readonly string[] = []
  readonly #channel: CometStateManager
  readonly #random: SeededRandom
  #next: number
  #isSilent = false
  #running: Promise<void> = Promise.resolve()

  constructor(channel: CometStateManager, firstNumber: number, random: SeededRandom) {
    this.#channel = channel
    this.#next = firstNumber
    this.#random = random
  }

  run(order: PublishOrder): void {
    this.#running = this.#run(order)
  }

  /** Resolves when nothing is being sent any more. */
  async silence(): Promise<void> {
    this.#isSilent = true
    await this.#running
  }

  async send(drafts: readonly Draft[]): Promise<void> {
    const sent: (readonly [number, number])[] = []
    const refused: number[] = []
    saying({ sending: drafts, atMs: machineMs() })
    const sends = drafts.map(async ([number, audience]) => {
      const contents = JSON.parse(contentsOf(number)) as string
      try {
        const options = { ...audience, key: String(number) }
        sent.push([number, await this.#channel.sendMessage(MESSAGE_NAME, contents, options)])
      } catch (error) {
        const { code = '' } = error as { code?: string }
        // A client alone that is gone by now.
        if (code === 'COMET_CLIENT_DOES_NOT_EXIST') refused.push(number)
        else if (!IN_DOUBT.has(code)) throw error
      }
    })
    await Promise.all(sends)
    saying({ sent, refused, atMs: machineMs() })
  }

  /** Until it is told to be silent, or the channel has closed. */
  async #run({ longestPauseMs, mostAtOnce }: PublishOrder): Promise<void> {
    while (!this.#isSilent) {
      const count = this.pages.length === 0 ? 0 : 1 + this.#random.below(mostAtOnce)
      if (count > 0) await this.send(Array.from({ length: count }, () => this.#draft()))
      await pause(this.#random.below(longestPauseMs))
    }
  }

  #draft(): Draft {
    const number = this.#next
    this.#next += 1
    return [number, this.#audience()]
  }

  #audience(): Audience {
    const percent = this.#random.below(100)
    if (percent < 30) return {}
    if (percent < 35) return { except: this.#random.pick(this.pages) }
    if (percent < 65) return { group: this.#random.pick(ROOMS) }
    if (percent < 80) return { user: this.#random.pick(USERS) }
    if (percent < 90) return { to: this.#random.pick(this.pages) }
    const to = Array.from({ length: MOST_RECEIVERS }, () => this.#random.pick(this.pages))
    return { to: [...new Set(to)], group: this.#random.pick(ROOMS) }
  }
}
