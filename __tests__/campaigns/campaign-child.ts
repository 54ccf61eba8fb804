import { type ChildProcess, spawn } from 'node:child_process'
import { writeSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Problem } from './problems.ts'

/** Processes run what `npm run build` has left in dist, also where a test has started them. */
const FOLDER = 'dist/__tests__/campaigns'

const STDOUT = 1

/** The folder of the package: this file is compiled to one folder further down. */
export const ROOT = rootOf(join(import.meta.dirname, '../..'))

function rootOf(folder: string): string {
  return basename(folder) === 'dist' ? dirname(folder) : folder
}

/** A process of a campaign: it is told things, and says what it does, in lines of JSON. */
export class CampaignChild<Said> {
  /** Resolves with its exit code, or the signal that ended it, when all that it said was heard. */
  readonly ended: Promise<number | string>
  readonly #process: ChildProcess
  readonly #waiting: (() => void)[] = []
  #errors = ''
  readonly #unheard: Said[] = []
  #hear = (said: Said): unknown => this.#unheard.push(said)

  constructor(module: string, environment: Readonly<Record<string, string>> = {}) {
    this.#process = spawn(process.execPath, [join(ROOT, FOLDER, `${module}.js`)], {
      env: { ...process.env, ...environment },
      // Control-C is meant for who started it.
      detached: true,
    })
    const { stdin, stdout, stderr } = this.#process
    // What is told to one that is being killed is lost, rightly.
    stdin!.on('error', () => {})
    stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#errors += text
    })
    this.ended = new Promise((resolve, reject) => {
      this.#process.on('error', reject)
      this.#process.on('close', (code, signal) => resolve(code ?? signal!))
    })
    stdout!.setEncoding('utf8').on(
      'data',
      lines((line) => this.#heard(JSON.parse(line) as Said)),
    )
  }

  /** What it has complained of. */
  get errors(): string {
    return this.#errors
  }

  /** Gives each line to `hear`, in order; at once those that it has said already. */
  listen(hear: (said: Said) => void): void {
    this.#hear = hear
    for (const said of this.#unheard.splice(0)) hear(said)
  }

  tell(order: unknown): void {
    this.#process.stdin!.write(`${JSON.stringify(order)}\n`)
  }

  /** Kills it, and waits for its end. Returns a problem if it had ended by itself. */
  async kill(): Promise<Problem[]> {
    this.#process.kill('SIGKILL')
    const exit = await this.ended
    return exit === 'SIGKILL' ? [] : [{ kind: 'failed', text: `a process ended (${exit}): ${this.#errors}` }]
  }

  /** Resolves when the condition holds after something it said. Rejects when it ends before. */
  async until(condition: () => boolean): Promise<void> {
    let hasEnded = false
    void this.ended.then(() => {
      hasEnded = true
      this.#wake()
    })
    while (!condition()) {
      if (hasEnded) throw new Error(`A process ended too early (${await this.ended}): ${this.#errors}`)
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  #heard(said: Said): void {
    this.#hear(said)
    this.#wake()
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}

/** Calls with each whole line; what a process was killed in the midst of saying is dropped. */
function lines(hear: (line: string) => void): (text: string) => void {
  let rest = ''
  return (text) => {
    const parts = `${rest}${text}`.split('\n')
    rest = parts.pop()!
    for (const line of parts) hear(line)
  }
}

/** Says it to the process that started this one, before anything else is done: a kill takes nothing of it. */
export function say(said: unknown): void {
  writeSync(STDOUT, `${JSON.stringify(said)}\n`)
}

/** Does what it is told. Ends when who started it is gone. */
export function obey<Order>(follow: (order: Order) => unknown): void {
  const input = createInterface({ input: process.stdin })
  input.on('line', (line) => follow(JSON.parse(line) as Order))
  input.on('close', () => process.exit())
}
