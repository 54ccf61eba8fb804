import { TEXT } from './sends.ts'
import type { Side } from './side.ts'

/** That of Linux (`TCP_MAX_QUICKACKS`). */
const QUICK_ACKS = 16

/**
 * Sends to streams that had nothing for a while, as when other sides have their turn. After a silence of 0.2 s Linux
 * acknowledges the first packets of a connection one by one, and what the sender's system does of that is on its bill.
 * What is sent after these is acknowledged many at once, and costs less.
 * @returns the server's CPU time for each of the messages, in microseconds
 */
export async function passQuickAcks(side: Side): Promise<number> {
  const cpu = await side.cpuOf(() => side.broadcast({ count: QUICK_ACKS, together: 1, text: TEXT }))
  return cpu / QUICK_ACKS
}
