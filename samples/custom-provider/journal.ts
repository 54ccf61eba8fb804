import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

const NEW_LINE = 10

/**
 * A file of JSON values, one a line. What `append` resolved for is on the disk; of what it did not, the last line may
 * be torn, and is cut off when the file is opened again. After a rejection the file has to be opened again.
 */
export class Journal {
  readonly #path: string
  #file: FileHandle
  /** How many bytes of the file are whole lines that were written without a fault. */
  #bytes = 0
  #replacedBytes = 0

  private constructor(path: string, file: FileHandle) {
    this.#path = path
    this.#file = file
  }

  /**
   * @param take is given each line
   * @param bytes how much of the file to keep: what comes after it is cut off. Default: all that is whole
   */
  static async open(path: string, take: (line: unknown) => void, bytes?: number): Promise<Journal> {
    const journal = new Journal(path, await open(path, 'a+', 0o600))
    try {
      await journal.#read(take, bytes)
    } catch (error) {
      await journal.close()
      throw error
    }
    return journal
  }

  get bytes(): number {
    return this.#bytes
  }

  /** How many bytes were added since `replace`, or since the beginning. */
  get addedBytes(): number {
    return this.#bytes - this.#replacedBytes
  }

  async append(line: unknown): Promise<void> {
    const bytes = toBytes(line)
    await this.#file.appendFile(bytes)
    await this.#file.datasync()
    this.#bytes += bytes.length
  }

  /** Another file takes the place of this one in one step: after a crash there is the old one or the new one. */
  async replace(lines: Iterable<unknown>): Promise<void> {
    const newPath = `${this.#path}.new`
    const file = await open(newPath, 'w', 0o600)
    let length = 0
    try {
      for (const line of lines) {
        const bytes = toBytes(line)
        await file.appendFile(bytes)
        length += bytes.length
      }
      await file.datasync()
      await rename(newPath, this.#path)
    } catch (error) {
      await file.close()
      await rm(newPath, { force: true })
      throw error
    }
    const old = this.#file
    this.#file = file
    this.#bytes = length
    this.#replacedBytes = length
    await old.close()
    await syncFolderOf(this.#path)
  }

  close(): Promise<void> {
    return this.#file.close()
  }

  async #read(take: (line: unknown) => void, bytes?: number): Promise<void> {
    await syncFolderOf(this.#path)
    const content = (await this.#file.readFile()).subarray(0, bytes)
    if (content.length < (bytes ?? 0))
      throw new Error(`${this.#path} is shorter than it was: somebody else has changed it.`)
    for (let end = content.indexOf(NEW_LINE); end >= 0; end = content.indexOf(NEW_LINE, this.#bytes)) {
      const line = fromBytes(content.subarray(this.#bytes, end))
      if (line === undefined) {
        if (end + 1 < content.length)
          throw new Error(
            `${this.#path} is damaged at byte ${this.#bytes}. Restore it, or move it away: the channel begins anew then.`,
          )
        break
      }
      take(line)
      this.#bytes = end + 1
    }
    await this.#file.truncate(this.#bytes)
    // What a killed process had written may be in no more than the system's memory.
    await this.#file.datasync()
  }
}

function toBytes(line: unknown): Buffer {
  return Buffer.from(`${JSON.stringify(line)}\n`)
}

/** Undefined for a line that is torn: a power cut can leave a hole within it. */
function fromBytes(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString())
  } catch {
    return undefined
  }
}

/** Without this a power cut could take the name of a new file, and the file with it. */
async function syncFolderOf(path: string): Promise<void> {
  const folder = await open(dirname(path))
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
