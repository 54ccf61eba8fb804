import { TaskProcess } from './child-process.ts'
import { CORES } from './cores.ts'
import type { GrowthServerTasks } from './growth-server.ts'
import { COMET_POLLS } from './programs.ts'
import { TEXT } from './sends.ts'
import type { LoadTasks } from './side.ts'

/** As long as the channel retains by default. */
export const RETAINED_FOR_SECONDS = 600

/** So many pages wait at a channel, whatever the number of clients that it knows. */
const WAITING = 100
/** How often is sent, to have one value. */
const SENDS = 1_000
const BROADCASTS = 10
/** Before others are made: as for polls, see `warm-up.ts`. */
const WARM_UP_ROUNDS = 6
/** Some sweeps long. */
const IDLE_MS = 12_000

/** @param retainedForSeconds how long it keeps messages, and that clients were made */
export function startGrowthServer(retainedForSeconds: number): TaskProcess<GrowthServerTasks> {
  const module = new URL('./growth-server.js', import.meta.url)
  return new TaskProcess<GrowthServerTasks>(module, [`${retainedForSeconds}`], CORES?.server)
}

/** A channel with pages that wait. All its clients are there when it is open. */
export class GrowthChannel {
  readonly #server = startGrowthServer(RETAINED_FOR_SECONDS)
  readonly #load = new TaskProcess<LoadTasks>(COMET_POLLS.load, [], CORES?.load)
  #received = 0

  /** @param others makes clients that never come, when messages have been sent to those who wait */
  async open(others: (server: TaskProcess<GrowthServerTasks>) => Promise<void>): Promise<void> {
    const port = await this.#server.ask('listen')
    const privateTokens = await this.#server.ask('initialise', WAITING)
    await this.#load.ask('open', { port, privateTokens })
    await this.#untilHeld()
    for (let round = 0; round < WARM_UP_ROUNDS; round++) {
      await this.toAll()
      await this.toWaiting()
    }
    await others(this.#server)
  }

  /** To one that waits. */
  toWaiting(): Promise<number> {
    return this.#cpuPerSend(SENDS, () => this.#server.ask('unicast', { count: SENDS, text: TEXT }))
  }

  /** To a group of which one waits. */
  toGroup(): Promise<number> {
    return this.#cpuPerSend(SENDS, () => this.#server.ask('sendToGroups', { count: SENDS, text: TEXT }))
  }

  /** To one that does not wait, of so many. */
  toAbsent(absent: number): Promise<number> {
    return this.#cpuPerSend(0, () => this.#server.ask('sendToAbsent', { count: SENDS, text: TEXT, absent }))
  }

  /** To all, for each that waits. */
  async toAll(): Promise<number> {
    const before = await this.#server.ask('cpu')
    for (let sent = 0; sent < BROADCASTS; sent++) {
      await this.#server.ask('broadcast', { count: 1, together: 1, text: TEXT })
      await this.#arrived(WAITING)
    }
    return ((await this.#server.ask('cpu')) - before) / (BROADCASTS * WAITING)
  }

  /** While nothing is sent: microseconds in each second. */
  async idle(): Promise<number> {
    const before = await this.#server.ask('cpu')
    await new Promise((resolve) => setTimeout(resolve, IDLE_MS))
    return ((await this.#server.ask('cpu')) - before) / (IDLE_MS / 1000)
  }

  async stop(): Promise<void> {
    for (const each of [this.#load, this.#server]) await each.stop()
  }

  async #cpuPerSend(arrivals: number, send: () => Promise<void>): Promise<number> {
    const before = await this.#server.ask('cpu')
    await send()
    await this.#arrived(arrivals)
    return ((await this.#server.ask('cpu')) - before) / SENDS
  }

  async #arrived(messages: number): Promise<void> {
    this.#received += messages
    await this.#load.ask('received', this.#received)
    await this.#untilHeld()
  }

  async #untilHeld(): Promise<void> {
    while ((await this.#server.ask('held')) < WAITING) await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
