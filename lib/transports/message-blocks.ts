import { messageToJson } from '../comet-message.ts'
import type { MessageEntry } from '../comet-state-provider.ts'
import { formatCursor } from '../cursor.ts'
import { formatBlock, isOneLine } from './event-stream-format.ts'

/**
 * Messages as blocks of an event stream, as `formatBlock` makes them. That looks through the finished text, which costs
 * as much again as to put it together.
 */
export class MessageBlocks {
  #epoch: string | undefined
  /** How the ids of this life of the log begin. Undefined if its name has line ends. */
  #idHead: string | undefined

  of(messages: readonly MessageEntry[], epoch: string): string {
    if (epoch !== this.#epoch) {
      this.#epoch = epoch
      this.#idHead = isOneLine(epoch)
        ? `id: ${formatCursor({ epoch, messageId: 0 }).slice(0, -1)}`
        : undefined
    }
    let text = ''
    for (const message of messages) text += this.#blockOf(message, epoch)
    return text
  }

  #blockOf(message: MessageEntry, epoch: string): string {
    const { id } = message
    const data = messageToJson(id, message)
    return this.#idHead !== undefined && isOneLine(message.contents)
      ? `${this.#idHead}${id}\ndata: ${data}\n\n`
      : formatBlock({ id: formatCursor({ epoch, messageId: id }), data })
  }
}
