import { SqliteCometStateProvider } from 'koa-comet/providers/sqlite'
import { SeededRandom } from '../../providers/contract/seeded-random.ts'
import { obey, say } from './campaign-child.ts'
import { messagesOf, type Stored, sendNumbered } from './numbered.ts'

/** A process that publishes until it is killed. */

const MOST_AT_ONCE = 8

export interface KillOrder {
  readonly file: string
  /** How many messages the log retains. */
  readonly retained: number
  /** The number of the first message that was not acknowledged: from here on it publishes, with keys. */
  readonly from: number
  readonly seed: number
}

export type KillSaid =
  | { readonly ready: true }
  | {
      readonly opened: { readonly epoch: string; readonly head: number; readonly messages: readonly Stored[] }
    }
  | { readonly fed: readonly Stored[] }
  | { readonly acknowledged: readonly Stored[] }
  | { readonly trouble: string }

const saying = (said: KillSaid): void => say(said)

async function publish({ file, retained, from, seed }: KillOrder): Promise<never> {
  const provider = new SqliteCometStateProvider(file)
  await provider.open(
    'comet',
    {
      reset: ({ epoch, head, entries }) => saying({ opened: { epoch, head, messages: messagesOf(entries) } }),
      entries: (entries) => saying({ fed: messagesOf(entries) }),
      unavailable: (error) => saying({ trouble: String(error) }),
      available: () => {},
    },
    { seconds: 86_400, messages: retained, bytes: 2 ** 30 },
  )
  const random = new SeededRandom(seed)
  for (let next = from; ; ) {
    const numbers = Array.from({ length: 1 + random.below(MOST_AT_ONCE) }, (_, index) => next + index)
    const outcomes = await provider.append(numbers.map(sendNumbered))
    saying({
      acknowledged: outcomes.map((outcome, index) => [numbers[index]!, 'id' in outcome ? outcome.id : 0]),
    })
    next += numbers.length
    if (random.chance(3)) await provider.removeExpired()
  }
}

obey((order: KillOrder) => {
  publish(order).catch((error) => saying({ trouble: String(error?.stack) }))
})
saying({ ready: true })
