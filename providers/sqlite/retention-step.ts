import type { Retention } from '../../lib/comet-state-provider.ts'
import type { EntryRows } from './entry-rows.ts'
import type { WriteTransaction } from './write-transaction.ts'

/** How much more is deleted than added in one transaction: a millisecond or two. */
const STEP_ENTRIES = 500
const STEP_BYTES = 4 * 1024 * 1024

/** Drops the oldest entries that are over the retention. Returns whether there may be more to drop. */
export function trimStep(
  rows: EntryRows,
  { channel, now, added, addedBytes }: WriteTransaction,
  { seconds, messages, bytes }: Retention,
): boolean {
  const horizon = now - seconds * 1000
  const most = STEP_ENTRIES + added.length
  const mostBytes = STEP_BYTES + addedBytes
  let dropped = 0
  let droppedBytes = 0
  for (const oldest of rows.oldest()) {
    const overrun = channel.messages > messages || channel.bytes > bytes
    if (oldest.storedAt > horizon && !(overrun && channel.entries > 1)) break
    if (dropped >= most || droppedBytes >= mostBytes) break
    dropped += 1
    droppedBytes += oldest.bytes
    channel.entries -= 1
    channel.bytes -= oldest.bytes
    if (oldest.kind === 'message') channel.messages -= 1
    channel.trimmedThrough = oldest.id
  }
  if (dropped > 0) rows.deleteThrough(channel.trimmedThrough)
  return dropped >= most || droppedBytes >= mostBytes
}
