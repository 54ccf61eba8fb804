/** A piece of a stream, ready to be written to any number of responses: nothing is copied per receiver. */
export interface StreamFrame {
  /** The piece itself. */
  readonly bytes: Buffer
  /** The same memory with the size before it and the line end behind it that `Transfer-Encoding: chunked` asks for. */
  readonly chunk: Buffer
}

/** @param text must not be empty: in chunked encoding that is the end of the body */
export function streamFrame(text: string): StreamFrame {
  const size = Buffer.byteLength(text)
  const before = `${size.toString(16)}\r\n`
  const chunk = Buffer.from(`${before}${text}\r\n`)
  return { bytes: chunk.subarray(before.length, before.length + size), chunk }
}
