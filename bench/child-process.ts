import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'

/** What a process can be asked to do, by name. Arguments and results travel as structured clones. */
export interface Tasks {
  // biome-ignore lint/suspicious/noExplicitAny: each task has an argument type of its own, which `ask` infers
  readonly [name: string]: (argument: any) => unknown
}

type Answer = { readonly id: number } & ({ readonly result: unknown } | { readonly error: string })

/** A process collects its garbage before it says what memory it takes. */
const FLAGS = ['--expose-gc']

interface Asked {
  resolve(result: never): void
  reject(error: Error): void
}

/** Does what the parent process asks for, and ends with it. */
export function serveTasks(tasks: Tasks): void {
  process.on('message', async ({ id, name, argument }: { id: number; name: string; argument: unknown }) => {
    try {
      process.send!({ id, result: await tasks[name]!(argument) })
    } catch (error) {
      process.send!({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
    }
  })
  process.on('disconnect', () => process.exit())
}

/** A process of the benchmark: a server, or those who load it. */
export class TaskProcess<T extends Tasks> {
  readonly #process: ChildProcess
  readonly #asked = new Map<number, Asked>()
  #lastId = 0

  /**
   * @param args what the program is given on its command line
   * @param core the only one that it may use; all if there is none
   */
  constructor(module: URL, args: readonly string[] = [], core?: number) {
    const execution =
      core === undefined
        ? { execArgv: FLAGS }
        : { execPath: 'taskset', execArgv: ['-c', `${core}`, process.execPath, ...FLAGS] }
    this.#process = fork(module, args, { serialization: 'advanced', ...execution })
    this.#process.on('message', (answer: Answer) => this.#take(answer))
    this.#process.on('exit', (code, signal) => this.#exited(`${module} ended with ${code ?? signal}.`))
  }

  ask<K extends keyof T & string>(
    name: K,
    argument?: Parameters<T[K]>[0],
  ): Promise<Awaited<ReturnType<T[K]>>> {
    this.#lastId += 1
    const id = this.#lastId
    return new Promise((resolve, reject) => {
      this.#asked.set(id, { resolve, reject })
      this.#process.send({ id, name, argument }, (error) => {
        if (error) reject(error)
      })
    })
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    this.#process.kill('SIGKILL')
    await once(this.#process, 'exit')
  }

  #take(answer: Answer): void {
    const asked = this.#asked.get(answer.id)
    this.#asked.delete(answer.id)
    if ('error' in answer) asked?.reject(new Error(answer.error))
    else asked?.resolve(answer.result as never)
  }

  #exited(text: string): void {
    for (const { reject } of this.#asked.values()) reject(new Error(text))
    this.#asked.clear()
  }
}
