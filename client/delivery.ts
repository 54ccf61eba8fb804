import { ControlName, type ResetContents } from '../lib/wire.ts'
import { CometError } from './comet-error.ts'
import { parseCursor } from './cursor.ts'
import type { Identity } from './identity.ts'
import type { Listeners } from './listeners.ts'
import { type Batch, isForPage } from './transport.ts'

/** What a delivery works with. */
export interface DeliveryParts {
  readonly alias: string
  readonly identity: Identity
  readonly listeners: Listeners
  emit(type: 'reset', detail: ResetContents): void
}

/**
 * Hands out what came, in order and each message once, and moves the cursor behind each. Waits for the first listener,
 * and for readers that are busy. Resolves when all has been dealt with. Rejects when the signal aborts: the rest is
 * then asked for again; and when another page has taken the client over.
 *
 * @param isHeld whether the server waited for it: else a timeout is none that a handler cares for
 */
export async function deliver(
  { messages, cursor }: Batch,
  isHeld: boolean,
  { alias, identity, listeners, emit }: DeliveryParts,
  signal: AbortSignal,
): Promise<void> {
  const token = identity.token!
  const own = parseCursor(identity.cursor)
  // Ids of another life of the log say nothing about this one's.
  let seen = own && own.epoch === cursor?.epoch ? own.messageId : -1
  for (const message of messages) {
    const { mid, n, c } = message
    // By a newer request of this very page, it only asks anew: something repeats its requests.
    if (n === ControlName.replaced && c !== 'own') throw new CometError('COMET_REPLACED', false)
    const isNews = isForPage(message)
    const isOfTrimming = (c as Partial<ResetContents> | null)?.reason === 'trimmed'
    // The page asks from behind what a loop is still busy with. What it lacks of that, it does not miss.
    if (mid <= seen && (isNews || isOfTrimming)) continue
    await whenReady(isNews ? 1 : 0)
    if (isNews) {
      // First the cursor: a handler that unsubscribes has had its message.
      moveTo(cursor!.epoch, mid)
      listeners.deliver(token, alias, { mid, n, c })
    } else if (n === ControlName.reset) {
      const reset = c as ResetContents
      moveTo(reset.epoch, reset.messageId)
      emit('reset', reset)
    } else if (n === ControlName.timeout && isHeld) {
      listeners.call('timeout', token, alias)
    }
  }
  await whenReady(0)
  if (cursor) moveTo(cursor.epoch, Math.max(cursor.messageId, seen))

  function moveTo(epoch: string, messageId: number): void {
    seen = messageId
    identity.moveTo(`${epoch}:${seen}`)
  }

  async function whenReady(atLeast: 0 | 1): Promise<void> {
    signal.throwIfAborted()
    while (!listeners.isReady(atLeast)) {
      await listeners.change(signal)
      signal.throwIfAborted()
    }
  }
}
