import { type ChildProcess, execFile, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** A program of the tests' folder, made to run in a process of its own. */
export interface Program {
  readonly path: string
  remove(): void
}

/** Bundles a source of this folder, so that the processes of a test run what is in the sources now. */
export async function bundled(source: string): Promise<Program> {
  const folder = mkdtempSync(join(tmpdir(), 'koa-comet-program-'))
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  const path = join(folder, 'program.mjs')
  const flags = ['--bundle', '--platform=node', '--format=esm', '--packages=external', '--log-level=warning']
  const parameters = [join(ROOT, '__tests__/providers', source), ...flags, `--outfile=${path}`]
  await promisify(execFile)(join(ROOT, 'node_modules/.bin/esbuild'), parameters)
  return { path, remove: () => rmSync(folder, { recursive: true }) }
}

/** What a child tells by itself. */
export interface Heard {
  readonly heard: string
  readonly value?: unknown
}

type Answer = { readonly id: number; readonly value?: unknown; readonly error?: string }

/** A process that does what it is asked for, and can be killed. */
export class AskedProcess {
  /** Called with what it tells by itself. */
  onHeard: ((heard: Heard) => void) | undefined
  readonly #child: ChildProcess
  readonly #exited: Promise<unknown>
  readonly #asked = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  #lastId = 0

  /**
   * @param given what it gets to start with
   * @param uid whose process it is; only root may choose
   */
  static async start({ path }: Program, given: object, uid?: number): Promise<AskedProcess> {
    const child = fork(path, [JSON.stringify(given)], uid === undefined ? {} : { uid, gid: uid })
    await once(child, 'message')
    return new AskedProcess(child)
  }

  private constructor(child: ChildProcess) {
    this.#child = child
    this.#exited = once(child, 'exit')
    child.on('message', (text) => this.#hear(JSON.parse(text as string)))
    child.on('exit', () => {
      for (const { reject } of this.#asked.values()) reject(new Error('the process is gone'))
      this.#asked.clear()
    })
  }

  get lives(): boolean {
    return this.#child.connected
  }

  ask<T>(call: string, ...parameters: unknown[]): Promise<T> {
    this.#lastId += 1
    const id = this.#lastId
    return new Promise<T>((resolve, reject) => {
      this.#asked.set(id, { resolve: (value) => resolve(value as T), reject })
      this.#child.send(JSON.stringify({ id, call, parameters }))
    })
  }

  /** SIGKILL. Resolves when the process is gone; nothing that it tells is heard after the call. */
  async kill(): Promise<void> {
    this.onHeard = undefined
    this.#child.kill('SIGKILL')
    await this.#exited
  }

  #hear(message: Heard | Answer): void {
    if ('heard' in message) return this.onHeard?.(message)
    const asked = this.#asked.get(message.id)
    this.#asked.delete(message.id)
    if (message.error === undefined) asked?.resolve(message.value)
    else asked?.reject(new Error(message.error))
  }
}
