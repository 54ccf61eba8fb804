import { setTimeout as pause } from 'node:timers/promises'
import { TaskProcess, type Tasks } from './child-process.ts'
import { CORES } from './cores.ts'
import type { Pages } from './open-pages.ts'
import type { ProcessCost } from './process-cost.ts'
import type { Broadcasts, Unicasts } from './sends.ts'

/** What a server can be asked; what no benchmark asks it may be missing. */
export interface ServerTasks extends Tasks {
  listen(): Promise<number>
  /** The private tokens of so many pages that may come; any text where whoever comes is served. */
  initialise(count: number): readonly string[] | Promise<readonly string[]>
  /** User and system time so far, in microseconds. */
  cpu(): number | Promise<number>
  /** How long it stood still for garbage collections so far, in microseconds; NaN if nobody knows. */
  garbage(): number | Promise<number>
  cost(): ProcessCost | Promise<ProcessCost>
  /** How many pages can be sent to now. */
  held(): number | Promise<number>
  broadcast(messages: Broadcasts): Promise<void>
  unicast(messages: Unicasts): Promise<void>
}

/** What the pages of a side can be asked, all together. */
export interface LoadTasks extends Tasks {
  /** Resolves when all are connected. */
  open(pages: Pages): Promise<void>
  /** Resolves when so many messages have come in all since the pages were opened. */
  received(total: number): Promise<void>
  /** Drops all connections. */
  close(): void
  /** All come again from where they were. */
  resume(): Promise<void>
}

/** The programs of a side. */
export interface SidePrograms {
  readonly name: string
  readonly server: URL
  readonly load: URL
  /** What the server is given on its command line. */
  readonly args?: readonly string[]
}

/** One of those that are compared: a server process, a process with its pages, and what was measured of them. */
export class Side {
  readonly name: string
  readonly #programs: SidePrograms
  readonly #values = new Map<string, number[]>()
  #server!: TaskProcess<ServerTasks>
  #load!: TaskProcess<LoadTasks>
  #port = 0
  #pages = 0
  #received = 0

  constructor(programs: SidePrograms) {
    this.name = programs.name
    this.#programs = programs
  }

  /** Starts both processes anew. */
  async start(): Promise<void> {
    const { server, load, args } = this.#programs
    this.#server = new TaskProcess(server, args, CORES?.server)
    this.#load = new TaskProcess(load, [], CORES?.load)
    this.#port = await this.#server.ask('listen')
  }

  async stop(): Promise<void> {
    // The pages first: an answer that they wait for would not come any more. Then at once the server, which would tell
    // of each connection that is lost.
    await Promise.all([this.#load?.stop(), this.#server?.stop()])
  }

  /** The private tokens of so many pages that may come. */
  async initialise(count: number): Promise<readonly string[]> {
    return this.#server.ask('initialise', count)
  }

  /** Resolves when a page has come for each token, and can be sent to. */
  async open(privateTokens: readonly string[]): Promise<void> {
    this.#pages = privateTokens.length
    this.#received = 0
    await this.#load.ask('open', { port: this.#port, privateTokens })
    await this.#untilHeld((held) => held >= this.#pages)
  }

  /** Resolves when the server has noticed that all pages are gone. */
  async drop(): Promise<void> {
    await this.#load.ask('close')
    await this.#untilHeld((held) => held === 0)
  }

  /** The pages come again, and are sent what they missed. */
  async resume(missedByEach: number): Promise<void> {
    await this.#load.ask('resume')
    await this.received(missedByEach * this.#pages)
  }

  /** Sends to nobody now: the pages are gone. */
  async broadcastUnheard(messages: Broadcasts): Promise<void> {
    await this.#server.ask('broadcast', messages)
  }

  /** Resolves when all pages have got all of it, and can be sent to again. */
  async broadcast(messages: Broadcasts): Promise<void> {
    await this.#server.ask('broadcast', messages)
    await this.received(messages.count * this.#pages)
  }

  /** Resolves as {@link broadcast} does. */
  async unicast(messages: Unicasts): Promise<void> {
    await this.#server.ask('unicast', messages)
    await this.received(messages.count)
  }

  /** Resolves when so many more messages have come, and all pages can be sent to again. */
  async received(messages: number): Promise<void> {
    this.#received += messages
    await this.#load.ask('received', this.#received)
    await this.#untilHeld((held) => held >= this.#pages)
  }

  /** What the server has taken up so far, after a collection of its garbage. */
  async cost(): Promise<ProcessCost> {
    return this.#server.ask('cost')
  }

  /** The server's CPU time for the work, in microseconds. */
  async cpuOf(work: () => Promise<void>): Promise<number> {
    return (await this.spentOn(work)).cpu
  }

  /** The server's CPU time for the work, and the pauses for garbage collections that fell into it: microseconds. */
  async spentOn(work: () => Promise<void>): Promise<{ cpu: number; garbage: number }> {
    const garbage = await this.#server.ask('garbage')
    const cpu = await this.#server.ask('cpu')
    await work()
    return {
      cpu: (await this.#server.ask('cpu')) - cpu,
      garbage: (await this.#server.ask('garbage')) - garbage,
    }
  }

  /** Keeps what a round has measured. */
  note(measured: Readonly<Record<string, number>>): void {
    for (const [measure, value] of Object.entries(measured)) {
      this.#values.set(measure, [...this.valuesOf(measure), value])
    }
  }

  /** Of each round, of all starts. */
  valuesOf(measure: string): readonly number[] {
    return this.#values.get(measure) ?? []
  }

  async #untilHeld(isReached: (held: number) => boolean): Promise<void> {
    while (!isReached(await this.#server.ask('held'))) await pause(5)
  }
}
