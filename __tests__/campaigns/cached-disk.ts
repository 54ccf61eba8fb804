import { dirname } from 'node:path'
import type { LoggedWrite } from './write-log.ts'

/** What a disk writes whole, or not at all. */
const SECTOR_BYTES = 512

/** Whether something that was not yet synced reaches the disk: asked for each sector, truncation and name. */
export type Keeps = () => boolean

interface CachedFile {
  /** What a power cut leaves in any case. */
  readonly durable: Content
  /** Written since the last sync. */
  pending: LoggedWrite[]
  /** Whether its name in the folder is durable. */
  isNamed: boolean
  /** Unlinked since the folder was synced. */
  isUnlinked: boolean
  /** The file that had the name before, and has it again if the new name is lost. */
  before?: CachedFile
}

/** A disk with a cache, which in a power cut loses what it likes of it, in any order. */
export class CachedDisk {
  readonly #files = new Map<string, CachedFile>()
  readonly #ignoresSync: boolean

  /** @param ignoresSync a disk that lies: nothing is ever durable. To see that losses are noticed */
  constructor(ignoresSync = false) {
    this.#ignoresSync = ignoresSync
  }

  /** Whether a power cut would now find something that is not synced. */
  get hasUnsynced(): boolean {
    return [...this.#files.values()].some(({ pending, isUnlinked }) => pending.length > 0 || isUnlinked)
  }

  apply(write: LoggedWrite): void {
    const file = this.#files.get(write.path)
    if (write.what === 'sync') {
      if (!this.#ignoresSync) this.#sync(write.path)
    } else if (write.what === 'unlink') {
      if (file) file.isUnlinked = true
    } else if (file && !file.isUnlinked) {
      file.pending.push(write)
    } else {
      this.#files.set(write.path, {
        durable: new Content(),
        pending: [write],
        isNamed: false,
        isUnlinked: false,
        ...(file && { before: file }),
      })
    }
  }

  /** The files that a power cut leaves, by path. */
  afterPowerCut(keeps: Keeps): Map<string, Buffer> {
    const left = new Map<string, Buffer>()
    for (const [path, file] of this.#files) {
      const content = leftOf(file, keeps)
      if (content) left.set(path, content)
    }
    return left
  }

  #sync(path: string): void {
    const file = this.#files.get(path)
    if (file) {
      for (const write of file.pending) file.durable.take(write, () => true)
      file.pending = []
    }
    for (const [name, inFolder] of this.#files) {
      if (dirname(name) !== path) continue
      inFolder.isNamed = true
      delete inFolder.before
      if (inFolder.isUnlinked) this.#files.delete(name)
    }
  }
}

function leftOf(file: CachedFile, keeps: Keeps): Buffer | undefined {
  if (file.isUnlinked && keeps()) return undefined
  if (!file.isNamed && !keeps()) return file.before && leftOf(file.before, keeps)
  const content = file.durable.copy()
  for (const write of file.pending) content.take(write, keeps)
  return content.bytes
}

class Content {
  #buffer: Buffer
  #size: number

  constructor(buffer: Buffer = Buffer.alloc(0)) {
    this.#buffer = buffer
    this.#size = buffer.length
  }

  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#size)
  }

  copy(): Content {
    return new Content(Buffer.from(this.bytes))
  }

  take({ what, offset, bytes }: LoggedWrite, keeps: Keeps): void {
    if (what === 'truncate') {
      if (keeps()) this.#resize(offset)
      return
    }
    for (let from = 0; from < bytes.length; ) {
      const end = Math.min(bytes.length, from + SECTOR_BYTES - ((offset + from) % SECTOR_BYTES))
      if (keeps()) {
        this.#resize(Math.max(this.#size, offset + end))
        bytes.copy(this.#buffer, offset + from, from, end)
      }
      from = end
    }
  }

  #resize(size: number): void {
    if (size > this.#buffer.length) {
      const larger = Buffer.alloc(Math.max(size, 2 * this.#buffer.length))
      this.bytes.copy(larger)
      this.#buffer = larger
    }
    // What is cut off reads as zeros when the file grows again.
    if (size < this.#size) this.#buffer.fill(0, size, this.#size)
    this.#size = size
  }
}
