import { passTurns, TURNS_PER_MESSAGE } from './process-cost.ts'

/** What a message says. */
export const TEXT = 'a message of the length that a line of a chat has'

/** Messages to all pages. */
export interface Broadcasts {
  readonly count: number
  /** So many are sent in one turn of the event loop; a part of `count`. */
  readonly together: number
  readonly text: string
}

/** Messages to one page each. */
export interface Unicasts {
  readonly count: number
  readonly text: string
}

/** Sends to all, each time when what was sent before is written: what is gathered costs less. */
export async function broadcastInTurns(
  { count, together }: Omit<Broadcasts, 'text'>,
  send: () => unknown,
): Promise<void> {
  for (let sent = 0; sent < count; sent += together) {
    await Promise.all(Array.from({ length: together }, send))
    await passTurns(TURNS_PER_MESSAGE)
  }
}

/**
 * Sends to one page after another, each in a turn of its own.
 *
 * @param send is given the number of the message, from 0
 */
export async function unicastInTurns(
  { count }: Omit<Unicasts, 'text'>,
  send: (number: number) => unknown,
): Promise<void> {
  for (let sent = 0; sent < count; sent++) {
    await send(sent)
    await passTurns(1)
  }
}
