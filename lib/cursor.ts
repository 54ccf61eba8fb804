/**
 * A position in a channel's log: everything up to and including `messageId` of the life `epoch` has been seen.
 * Its text form, `<epoch>:<messageId>`, is what `Comet-Cursor` and `Last-Event-ID` carry.
 */
export interface Cursor {
  /** The random name of one life of the log. */
  readonly epoch: string
  /** An id of that life, or the position before its first one: a safe integer >= 0. */
  readonly messageId: number
}

/** Stands for a cursor that cannot be read. No log bears this epoch, so it always leads to a `reset`. */
export const FOREIGN_CURSOR: Cursor = Object.freeze({ epoch: '', messageId: 0 })

const CURSOR_TEXT = /^[A-Za-z0-9_-]{1,64}:\d{1,16}$/

export function formatCursor(cursor: Cursor): string {
  return `${cursor.epoch}:${cursor.messageId}`
}

/**
 * Reads a cursor's text form. What is not one comes back as {@link FOREIGN_CURSOR}: its bearer is told `reset`
 * and goes on, where an error would end a native EventSource for good.
 */
export function parseCursor(text: string): Cursor {
  if (!CURSOR_TEXT.test(text)) return FOREIGN_CURSOR
  const colon = text.indexOf(':')
  const messageId = Number(text.slice(colon + 1))
  return Number.isSafeInteger(messageId) ? { epoch: epochOf(text, colon), messageId } : FOREIGN_CURSOR
}

let lastEpoch = ''

/** Nearly all pages are in one life of the log: one text serves them all. */
function epochOf(text: string, colon: number): string {
  if (colon !== lastEpoch.length || !text.startsWith(lastEpoch)) lastEpoch = text.slice(0, colon)
  return lastEpoch
}
