import type { CometException } from '../comet-exception.ts'
import type { MessageEntry } from '../comet-state-provider.ts'
import type { Cursor } from '../cursor.ts'
import type { ReadReset } from '../message-log.ts'

/**
 * What a subscribe request is told; a poll ends with it, a stream only if it is no messages. `cursor` is what the page
 * has seen once it has this: the `through` of one read. The sixth way to end, `aborted`, writes nothing: its page is
 * gone.
 */
export type SubscribeOutcome =
  | {
      readonly kind: 'messages'
      readonly cursor: Cursor
      readonly messages: readonly MessageEntry[]
      /** Set if something before the messages may be missing. */
      readonly reset?: ReadReset
      /** Set by a node that closes: whoever comes again should come spread over so many seconds. */
      readonly overSeconds?: number
    }
  | { readonly kind: 'timeout'; readonly cursor: Cursor }
  /** A newer request came, of the same page or of one that took the client over. */
  | { readonly kind: 'replaced'; readonly cursor: Cursor; readonly isByOwnPage: boolean }
  /** The client was removed or stopped, or this node cannot vouch for its log any more. */
  | { readonly kind: 'stopped'; readonly exception: CometException }
  /** This node closes: the page should go on elsewhere. */
  | { readonly kind: 'closed'; readonly cursor: Cursor }
