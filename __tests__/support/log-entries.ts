import type { MessageEntry, Retention } from '../../lib/comet-state-provider.ts'
import type { Cursor } from '../../lib/cursor.ts'
import { MessageLog, type Reader, type ReadResult } from '../../lib/message-log.ts'

export const AMPLE: Retention = { seconds: 600, messages: 100_000, bytes: 64 * 1024 * 1024 }

export const NO_LIMIT = Number.POSITIVE_INFINITY

export const NAME = 'M'

export function messageEntry(
  id: number,
  topics: readonly string[] = ['*'],
  more: Partial<MessageEntry> = {},
): MessageEntry {
  return { kind: 'message', id, topics, except: [], name: NAME, contents: `${id}`, ...more }
}

/** A log of the epoch `e1` that begins after `trimmedThrough` and has applied a message of each id. */
export function logOf(
  ids: readonly number[],
  options: {
    readonly retention?: Retention
    readonly trimmedThrough?: number
    readonly now?: () => number
  } = {},
): MessageLog {
  const { retention = AMPLE, trimmedThrough = 0, now = () => 0 } = options
  const log = new MessageLog(retention, now)
  const entries = ids.map((id) => messageEntry(id))
  log.reset({ epoch: 'e1', entries, head: ids.at(-1) ?? trimmedThrough, trimmedThrough })
  return log
}

/** An interval of ids in which a reader is addressed by a topic: above `after`, below `before`. */
export interface Subscription {
  readonly topic: string
  readonly after: number
  readonly before?: number
}

/** A reader of these topics from `floor` on. */
export function readerOf(
  topics: readonly (string | Subscription)[] = ['*'],
  more: Partial<Reader> = {},
): Reader {
  const { floor = 0 } = more
  const subscriptions = topics.map((each) =>
    typeof each === 'string' ? { topic: each, after: floor } : each,
  )
  return { floor, ...subscribed(subscriptions), publicToken: 'ann', ...more }
}

export function subscribed(subscriptions: readonly Subscription[]): Pick<Reader, 'forEachSubscription'> {
  return {
    forEachSubscription(visit) {
      for (const { topic, after, before } of subscriptions) visit(topic, after, before)
    },
  }
}

export function at(messageId: number, epoch = 'e1'): Cursor {
  return { epoch, messageId }
}

export function idsOf({ messages }: ReadResult): number[] {
  return messages.map(({ id }) => id)
}
