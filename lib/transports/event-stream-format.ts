/** The text of `text/event-stream`, as the HTML standard has it: https://html.spec.whatwg.org/#parsing-an-event-stream */

/** One block: what lies between two empty lines. */
export interface EventBlock {
  /** A line that readers skip. */
  readonly comment?: string
  /** How many milliseconds a reader that was cut off waits before it comes again. */
  readonly retryMs?: number
  /** What a reader that comes again sends as `Last-Event-ID`. Without `data` nothing is dispatched, but this is kept. */
  readonly id?: string
  readonly data?: string
}

/** The block with its empty line. Whatever the fields hold, it is one block, and reads back as what they hold. */
export function formatBlock({ comment, retryMs, id, data }: EventBlock): string {
  let text = ''
  if (comment !== undefined) text += linesOf('', comment)
  if (retryMs !== undefined) text += `retry: ${Math.trunc(retryMs)}\n`
  if (id !== undefined) text += `id: ${oneLine(id)}\n`
  if (data !== undefined) text += linesOf('data', data)
  return `${text}\n`
}

const LINE_END = /\r\n|\r|\n/

/** Each line of a value is a field of its own; a reader joins them by line feeds. */
function linesOf(field: string, value: string): string {
  // What is sent all day has none, and is not to be searched twice.
  if (isOneLine(value)) return `${field}: ${value}\n`
  return value
    .split(LINE_END)
    .map((line) => `${field}: ${line}\n`)
    .join('')
}

/** An id is one line; a reader ignores one with NUL in it, and with it the position. */
function oneLine(value: string): string {
  return isOneLine(value) ? value : value.replace(/[\r\n\0]/g, '')
}

/** Whether a value is read as it is, in any field. */
export function isOneLine(value: string): boolean {
  return !/[\r\n\0]/.test(value)
}
