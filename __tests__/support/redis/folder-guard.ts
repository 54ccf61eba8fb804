import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Remembers the last line that came. When no more can come, since it was ended or since this process has died, it kills
 * the process of that line, if it is not empty, and deletes the folder. What ends a whole group of processes does not
 * end it.
 */
const SCRIPT = `
  trap '' INT TERM HUP
  while read -r line; do pid=$line; done
  if [ -n "$pid" ]; then kill -KILL "$pid"; fi
  rm -rf "$0"
`

/**
 * A fresh folder in the temporary one, and the process that works in it. Both go with this process, however that ends:
 * a guard of their own, which is another process, waits for the end of a pipe.
 */
export class FolderGuard {
  readonly folder: string
  readonly #process: ChildProcess
  readonly #exited: Promise<unknown>

  /** @param prefix what the folder's name begins with */
  constructor(prefix: string) {
    this.folder = mkdtempSync(join(tmpdir(), prefix))
    this.#process = spawn('/bin/sh', ['-c', SCRIPT, this.folder], { stdio: ['pipe', 'ignore', 'inherit'] })
    this.#exited = once(this.#process, 'exit')
  }

  /** The process that is to go with the folder; undefined: none. */
  watch(pid: number | undefined): void {
    this.#process.stdin!.write(`${pid ?? ''}\n`)
  }

  /** Deletes the folder. Resolves when that is done. */
  async end(): Promise<void> {
    this.#process.stdin!.end()
    await this.#exited
  }
}
