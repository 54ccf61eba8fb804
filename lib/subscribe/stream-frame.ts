/** A piece of a stream, ready to be written to any number of responses: nothing is copied per receiver. */
export class StreamFrame {
  /** The piece, with the size before it and the line end behind it that `Transfer-Encoding: chunked` asks for. */
  readonly chunk: Buffer
  readonly #begin: number

  /** @param text must not be empty: in chunked encoding that is the end of the body */
  constructor(text: string) {
    // To count the bytes first would be a walk through the text more, and most has one for each character.
    const guess = sizeLine(text.length)
    const chunk = Buffer.from(`${guess}${text}\r\n`)
    const bytes = chunk.length - guess.length - 2
    const size = bytes === text.length ? guess : sizeLine(bytes)
    this.chunk = size === guess ? chunk : Buffer.from(`${size}${text}\r\n`)
    this.#begin = size.length
  }

  /** The piece itself, in the same memory. */
  get bytes(): Buffer {
    return this.chunk.subarray(this.#begin, -2)
  }
}

function sizeLine(bytes: number): string {
  return `${bytes.toString(16)}\r\n`
}
