import { invalidAnswer } from './comet-error.ts'

/** The fields of one block of `text/event-stream` by their names; the lines of `data` are joined by line feeds. */
export type StreamBlock = Readonly<Record<string, string | undefined>>

/** More than any server sends at once. What is longer has no end, and is no channel's. */
const LONGEST_BLOCK = 8 * 1024 * 1024

/**
 * Reads `text/event-stream` as the HTML standard has it, piece by piece, wherever the pieces are cut: the function
 * takes the bytes that came next, and returns the blocks that are complete by them. A block of comments alone is none.
 * Throws a `CometError` when a block grows beyond all measure.
 */
export function createEventStreamParser(): (bytes: Uint8Array) => StreamBlock[] {
  // It also drops a byte order mark at the beginning.
  const decoder = new TextDecoder()
  let line = ''
  let endsInReturn = false
  let fields: Record<string, string> | undefined
  let size = 0

  return (bytes) => {
    const blocks: StreamBlock[] = []
    let text = decoder.decode(bytes, { stream: true })
    if (!text) return blocks
    // The second half of a line end that was cut in two.
    if (endsInReturn && text.startsWith('\n')) text = text.slice(1)
    endsInReturn = text.endsWith('\r')
    const pieces = text.split(/\r\n?|\n/)
    const last = pieces.pop()
    for (const piece of pieces) {
      line += piece
      if (line) {
        addField()
      } else {
        if (fields) blocks.push(fields)
        fields = undefined
        size = 0
      }
      line = ''
    }
    line += last
    if (size + line.length > LONGEST_BLOCK) throw invalidAnswer()
    return blocks
  }

  function addField(): void {
    size += line.length
    // A comment has an empty name; a line without a colon is a name alone.
    const [, name, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line)!
    if (!name) return
    fields ??= {}
    const before = name === 'data' ? fields.data : undefined
    fields[name] = before === undefined ? value : `${before}\n${value}`
  }
}
