/** How many bytes of replies a channel keeps in memory. */
const MAX_REPLIES_BYTES = 16 * 1024 * 1024

/** About what a reply takes beside its text. */
const REPLY_OVERHEAD_BYTES = 100

/** Replies by what they belong to, bounded by their bytes: the oldest go first. */
export class BoundedReplies<K extends object> {
  readonly #replies = new Map<K, { readonly reply: string; readonly bytes: number }>()
  readonly #maxBytes: number
  #bytes = 0

  constructor(maxBytes = MAX_REPLIES_BYTES) {
    this.#maxBytes = maxBytes
  }

  get(owner: K): string | undefined {
    return this.#replies.get(owner)?.reply
  }

  set(owner: K, reply: string): void {
    this.delete(owner)
    const bytes = Buffer.byteLength(reply) + REPLY_OVERHEAD_BYTES
    this.#replies.set(owner, { reply, bytes })
    this.#bytes += bytes
    for (const oldest of this.#replies.keys()) {
      if (this.#bytes <= this.#maxBytes) return
      this.delete(oldest)
    }
  }

  delete(owner: K): void {
    this.#bytes -= this.#replies.get(owner)?.bytes ?? 0
    this.#replies.delete(owner)
  }
}
