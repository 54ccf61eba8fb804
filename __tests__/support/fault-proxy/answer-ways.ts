import type { Socket } from 'node:net'
import type { Cut, Fault } from './fault.ts'

/** How an answer gets to the page. */
export interface AnswerWay {
  /** Takes the next bytes of the answer. */
  pass(bytes: Buffer): void
  /** The server has ended the answer. */
  end(): void
}

/** What a way has to do with. */
export interface Ends {
  /** The page's connection. */
  readonly near: Socket
  /** Counts the fault, once. */
  hit(): void
  /** The page's connection is cut: the server's has to be as well. */
  gone(): void
  /** From now on nothing gets through, either way. */
  silent(): void
}

/** A page that finds bytes and a reset together takes that for an end: it is given the time to read first. */
const READ_FIRST_MS = 2

/** Held back for less, a buffer has done nothing. */
const HELD_MS = 20

/** The way that has the fault, as far as answers have. */
export function answerWay(fault: Fault | undefined, ends: Ends): AnswerWay {
  switch (fault?.kind) {
    case 'late answer':
      return lateWay(ends, fault.ms)
    case 'drop':
      return cutWay(ends, 0, fault.by)
    case 'cut':
      return cutWay(ends, fault.afterBytes, fault.by)
    case 'half-open':
      return halfOpenWay(ends, fault.afterBytes)
    case 'buffer':
      return bufferWay(ends, fault.bytes)
    case 'slice':
      return sliceWay(ends, fault.bytes, fault.pieces)
    default:
      return plainWay(ends)
  }
}

function plainWay({ near }: Ends): AnswerWay {
  return { pass: (bytes) => near.write(bytes), end: () => near.end() }
}

function lateWay({ near, hit }: Ends, ms: number): AnswerWay {
  return {
    // Timers of one duration go off in the order of their setting.
    pass: (bytes) =>
      setTimeout(() => {
        if (!near.destroyed) hit()
        near.write(bytes)
      }, ms),
    end: () => setTimeout(() => near.end(), ms),
  }
}

/** Only a byte that follows shows that the answer was not complete. */
function cutWay({ near, hit, gone }: Ends, afterBytes: number, by: Cut): AnswerWay {
  let left = afterBytes
  let isCut = false
  return {
    pass(bytes) {
      if (isCut) return
      const passed = bytes.subarray(0, left)
      left -= passed.length
      isCut = passed.length < bytes.length
      near.write(passed, () => {
        if (!isCut) return
        if (!near.destroyed) hit()
        if (by === 'reset') setTimeout(() => near.resetAndDestroy(), READ_FIRST_MS)
        else near.end()
        gone()
      })
    },
    end: () => isCut || near.end(),
  }
}

function halfOpenWay({ near, hit, silent }: Ends, afterBytes: number): AnswerWay {
  let left = afterBytes
  let isSilent = false
  return {
    pass(bytes) {
      const passed = bytes.subarray(0, left)
      left -= passed.length
      near.write(passed)
      if (passed.length === bytes.length) return
      isSilent = true
      hit()
      silent()
    },
    end: () => isSilent || near.end(),
  }
}

function bufferWay({ near, hit }: Ends, bytes: number): AnswerWay {
  let held: Buffer[] = []
  let heldBytes = 0
  let timer: NodeJS.Timeout | undefined
  const release = (): void => {
    clearTimeout(timer)
    near.write(Buffer.concat(held))
    held = []
    heldBytes = 0
  }
  near.once('close', () => clearTimeout(timer))
  return {
    pass(piece) {
      if (held.length === 0) timer = setTimeout(hit, HELD_MS)
      held.push(piece)
      heldBytes += piece.length
      if (heldBytes >= bytes) release()
    },
    end() {
      release()
      near.end()
    },
  }
}

function sliceWay({ near, hit }: Ends, bytes: number, pieces: number): AnswerWay {
  let waiting = Buffer.alloc(0)
  let left = pieces
  let isWriting = false
  let hasEnded = false
  const writeNext = (): void => {
    const size = left > 0 ? bytes : waiting.length
    left -= 1
    near.write(waiting.subarray(0, size))
    waiting = waiting.subarray(size)
    isWriting = waiting.length > 0
    if (isWriting) {
      hit()
      setImmediate(writeNext)
    } else if (hasEnded) near.end()
  }
  return {
    pass(piece) {
      waiting = Buffer.concat([waiting, piece])
      if (isWriting) return
      isWriting = true
      writeNext()
    },
    end() {
      hasEnded = true
      if (!isWriting) near.end()
    },
  }
}
