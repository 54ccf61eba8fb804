const ASTERISK = 0x2a

/**
 * Cuts what comes by a connection to a redis-server into whole requests: arrays of bulk strings, as clients write them,
 * or lines, as people do.
 */
export class RequestReader {
  #rest: Buffer = Buffer.alloc(0)

  /** The requests that are complete with these bytes. */
  take(bytes: Buffer): Buffer[] {
    this.#rest = Buffer.concat([this.#rest, bytes])
    const requests: Buffer[] = []
    for (let end = endOfRequest(this.#rest); end !== undefined; end = endOfRequest(this.#rest)) {
      requests.push(this.#rest.subarray(0, end))
      this.#rest = this.#rest.subarray(end)
    }
    return requests
  }
}

/** Where the first request ends, if it is complete. */
function endOfRequest(bytes: Buffer): number | undefined {
  let end = endOfLine(bytes, 0)
  if (end === undefined || bytes[0] !== ASTERISK) return end
  for (let left = numberIn(bytes, 0, end); left > 0; left -= 1) {
    const head = endOfLine(bytes, end)
    if (head === undefined) return undefined
    end = head + numberIn(bytes, end, head) + 2
  }
  return end <= bytes.length ? end : undefined
}

function endOfLine(bytes: Buffer, from: number): number | undefined {
  const at = bytes.indexOf('\r\n', from)
  return at === -1 ? undefined : at + 2
}

/** Of a line such as `$12\r\n`. */
function numberIn(bytes: Buffer, start: number, end: number): number {
  return Number(bytes.toString('latin1', start + 1, end - 2))
}
