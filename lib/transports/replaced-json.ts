import { controlToJson } from '../comet-message.ts'
import type { SubscribeOutcome } from '../subscribe/subscribe-outcome.ts'
import { ControlName, type ReplacedContents } from '../wire.ts'

type Replaced = Extract<SubscribeOutcome, { kind: 'replaced' }>

/** The control message that tells a request of a newer one. */
export function replacedToJson({ cursor, isByOwnPage }: Replaced): string {
  const contents: ReplacedContents = isByOwnPage ? 'own' : null
  return controlToJson({ mid: cursor.messageId, n: ControlName.replaced, c: contents })
}
