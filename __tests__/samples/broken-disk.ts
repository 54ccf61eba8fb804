import { type FileHandle, open } from 'node:fs/promises'
import type { Interruption } from 'koa-comet/providers/contract'

const anyFile = await open(import.meta.filename)
const FILES = Object.getPrototypeOf(anyFile) as FileHandle
await anyFile.close()

/** Of what is appended to a file the first half is written, then there is no room. */
export function fullDisk(): Interruption {
  const { appendFile } = FILES
  return {
    name: 'the disk is full',
    cutsOff: false,
    begin() {
      FILES.appendFile = async function (this: FileHandle, data) {
        await this.write(data.slice(0, data.length / 2) as Buffer)
        throw new Error('ENOSPC: no space left on device, write')
      }
    },
    end() {
      FILES.appendFile = appendFile
    },
  }
}

/** Everything is written, and nothing is sure. */
export function failingDisk(): Interruption {
  const { datasync } = FILES
  return {
    name: 'the disk fails',
    cutsOff: false,
    begin() {
      FILES.datasync = () => Promise.reject(new Error('EIO: i/o error, fdatasync'))
    },
    end() {
      FILES.datasync = datasync
    },
  }
}
