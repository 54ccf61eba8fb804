import { TEXT } from './sends.ts'
import type { Side } from './side.ts'

/** Linux has 16 (`TCP_MAX_QUICKACKS`). */
const MESSAGES = 20

/**
 * Sends what is not measured to streams. After a silence, as that in which other sides have their turn, Linux
 * acknowledges each of a connection's first packets at once, and what the sender does of that is on its bill: on one
 * machine a message costs half as much again. From then on it acknowledges many together.
 */
export function passQuickAcks(side: Side): Promise<void> {
  return side.broadcast({ count: MESSAGES, together: 1, text: TEXT })
}
