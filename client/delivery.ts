import { ControlName, RESERVED_PREFIX, type ResetContents } from '../lib/wire.ts'
import { parseCursor } from './cursor.ts'
import type { Identity } from './identity.ts'
import type { Listeners } from './listeners.ts'
import type { PollAnswer } from './long-polling.ts'

/** What a delivery works with. */
export interface DeliveryParts {
  readonly alias: string
  readonly identity: Identity
  readonly listeners: Listeners
  emit(type: 'reset', detail: ResetContents): void
}

/**
 * Hands out what a poll brought, in order and each message once, and moves the cursor behind each. Waits for the
 * first listener, and for readers that are busy. Rejects when the signal aborts: the rest is then asked for again.
 *
 * @param isProbe the page asked to be answered at once: a timeout is then none that a handler cares for
 */
export async function deliver(
  { messages, cursor }: PollAnswer,
  isProbe: boolean,
  { alias, identity, listeners, emit }: DeliveryParts,
  signal: AbortSignal,
): Promise<void> {
  const token = identity.token!
  const own = parseCursor(identity.cursor)
  // Ids of another life of the log say nothing about this one's.
  let seen = own?.epoch === cursor.epoch ? own.messageId : -1
  for (const { mid, n, c } of messages) {
    const isOfApp = !n.startsWith(RESERVED_PREFIX)
    await whenReady(isOfApp ? 1 : 0)
    if (isOfApp) {
      if (mid <= seen) continue
      // First the cursor: a handler that unsubscribes has had its message.
      moveTo(cursor.epoch, mid)
      listeners.deliver(token, alias, { mid, n, c })
    } else if (n === ControlName.reset) {
      const reset = c as ResetContents
      moveTo(reset.epoch, reset.messageId)
      emit('reset', reset)
    } else if (n === ControlName.timeout && !isProbe) {
      listeners.call('timeout', token, alias)
    }
  }
  await whenReady(0)
  moveTo(cursor.epoch, Math.max(cursor.messageId, seen))
  identity.keep(true)

  function moveTo(epoch: string, messageId: number): void {
    seen = messageId
    identity.moveTo(`${epoch}:${seen}`)
  }

  async function whenReady(atLeast: 0 | 1): Promise<void> {
    while (!listeners.isReady(atLeast) && !signal.aborted) await listeners.change(signal)
    signal.throwIfAborted()
  }
}
