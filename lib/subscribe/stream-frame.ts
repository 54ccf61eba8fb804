/** A piece of a stream, ready to be written to any number of responses: nothing is copied per receiver. */
export class StreamFrame {
  /** The piece, with the size before it and the line end behind it that `Transfer-Encoding: chunked` asks for. */
  readonly chunk: Buffer
  readonly #begin: number

  /** @param text must not be empty: in chunked encoding that is the end of the body */
  constructor(text: string) {
    const length = Buffer.byteLength(text)
    const before = `${length.toString(16)}\r\n`
    this.#begin = before.length
    // Put together as a text it would be copied twice more.
    this.chunk = Buffer.allocUnsafe(this.#begin + length + 2)
    this.chunk.write(before, 0, 'latin1')
    this.chunk.write(text, this.#begin, 'utf8')
    this.chunk.write('\r\n', this.#begin + length, 'latin1')
  }

  /** The piece itself, in the same memory. */
  get bytes(): Buffer {
    return this.chunk.subarray(this.#begin, -2)
  }
}
