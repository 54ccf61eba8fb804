/** A piece of a stream, ready to be written to any number of responses: nothing is copied per receiver. */
export class StreamFrame {
  /** The piece, with the size before it and the line end behind it that `Transfer-Encoding: chunked` asks for. */
  readonly chunk: Buffer
  readonly #begin: number

  /** @param text must not be empty: in chunked encoding that is the end of the body */
  constructor(text: string) {
    const before = `${Buffer.byteLength(text).toString(16)}\r\n`
    this.#begin = before.length
    this.chunk = Buffer.from(`${before}${text}\r\n`)
  }

  /** The piece itself, in the same memory. */
  get bytes(): Buffer {
    return this.chunk.subarray(this.#begin, -2)
  }
}
