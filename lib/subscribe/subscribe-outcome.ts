import type { CometException } from '../comet-exception.ts'
import type { MessageEntry } from '../comet-state-provider.ts'
import type { Cursor } from '../cursor.ts'
import type { ReadReset } from '../message-log.ts'

/**
 * How a subscribe request ends. `cursor` is what the page has seen once it has the answer: the `through` of one read.
 * The sixth way, `aborted`, writes nothing: its page is gone.
 */
export type SubscribeOutcome =
  | {
      readonly kind: 'messages'
      readonly cursor: Cursor
      readonly messages: readonly MessageEntry[]
      /** Set if something before the messages may be missing. */
      readonly reset?: ReadReset
    }
  | { readonly kind: 'timeout' | 'replaced'; readonly cursor: Cursor }
  /** The client was removed or stopped, or this node cannot vouch for its log any more. */
  | { readonly kind: 'stopped'; readonly exception: CometException }
  | { readonly kind: 'closed'; readonly cursor: Cursor; readonly overSeconds: number }
