import { setTimeout as pause } from 'node:timers/promises'

/** So many messages are sent at once, as by an app that many pages wait for. */
const MESSAGES_AT_ONCE = 100
const PAUSE_MS = 1

/** What a publisher is asked for: so many messages to each of so many receivers. */
export interface Bursts {
  readonly receivers: number
  readonly messagesEach: number
  readonly text: string
}

/**
 * Sends to one receiver after another, and so many times over: a burst, a pause, the next burst. So messages come alike
 * on all sides, whatever a send costs there.
 *
 * @param sendAll sends a message to each of these; resolves when they are sent
 */
export async function sendInBursts<T>(
  receivers: readonly T[],
  messagesEach: number,
  sendAll: (receivers: readonly T[]) => Promise<unknown>,
): Promise<void> {
  for (let times = 0; times < messagesEach; times++) {
    for (let first = 0; first < receivers.length; first += MESSAGES_AT_ONCE) {
      await sendAll(receivers.slice(first, first + MESSAGES_AT_ONCE))
      await pause(PAUSE_MS)
    }
  }
}
