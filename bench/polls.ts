import { TaskProcess, type Tasks } from './child-process.ts'
import { withinDeadline } from './deadline.ts'
import { hasPeers, PEERS, sayIfWithoutPeers } from './peers.ts'
import type { PollLoadTasks } from './poll-load.ts'
import { mark, median, table } from './table.ts'

/**
 * What a message costs the server that a thousand pages poll, one to all of them and one to each, beside Node's own
 * server, in alternating rounds of one run. Servers and pages are processes of their own. Ends with 1 if a bound is broken.
 */

const POLLS = 1_000
/** Until all code is compiled for good. */
const WARM_UP_ROUNDS = 12
const ROUNDS = 15
const TEXT = 'a message of the length that a line of a chat has'
/** Of all pages, in each round. */
const BROADCASTS = 5
const UNICASTS = 5_000

const RAW = 'node:http'

/** What all servers can be asked. */
interface PollServerTasks extends Tasks {
  listen(): Promise<number>
  /** The private tokens of so many pages that may come. */
  initialise(count: number): readonly string[] | Promise<readonly string[]>
  cpu(): number
  held(): number
  broadcast(text: string): Promise<void>
  unicast(messages: { count: number; text: string }): Promise<void>
}

interface Bound {
  readonly what: 'broadcast' | 'unicast'
  readonly mostCpuRatio: number
}

const BOUNDS: readonly Bound[] = [
  { what: 'broadcast', mostCpuRatio: 1.45 },
  { what: 'unicast', mostCpuRatio: 1.7 },
]

/** A server with its pages. */
class Side {
  readonly name: string
  /** Of each message and page: one value for each round. */
  readonly cpuMicroseconds = { broadcast: [] as number[], unicast: [] as number[] }
  readonly #server: TaskProcess<PollServerTasks>
  readonly #load: TaskProcess<PollLoadTasks>
  #answers = 0

  constructor(name: string, server: URL, load: URL) {
    this.name = name
    this.#server = new TaskProcess(server)
    this.#load = new TaskProcess(load)
  }

  async open(): Promise<void> {
    const port = await this.#server.ask('listen')
    await this.#load.ask('open', { port, privateTokens: await this.#server.ask('initialise', POLLS) })
    await this.#untilHeld()
  }

  async round(): Promise<void> {
    this.cpuMicroseconds.broadcast.push(await this.#cost(BROADCASTS * POLLS, () => this.#broadcastAll()))
    this.cpuMicroseconds.unicast.push(
      await this.#cost(UNICASTS, () => this.#server.ask('unicast', { count: UNICASTS, text: TEXT })),
    )
  }

  async stop(): Promise<void> {
    // The pages first: an answer that they wait for would not come any more.
    for (const each of [this.#load, this.#server]) await each.stop()
  }

  /** Each when the one before has come, and all poll again: so each poll is answered by one message. */
  async #broadcastAll(): Promise<void> {
    for (let sent = 1; sent <= BROADCASTS; sent++) {
      await this.#server.ask('broadcast', TEXT)
      await this.#load.ask('received', this.#answers + sent * POLLS)
      await this.#untilHeld()
    }
  }

  async #cost(messages: number, send: () => Promise<void>): Promise<number> {
    const before = await this.#server.ask('cpu')
    await send()
    this.#answers += messages
    await this.#load.ask('received', this.#answers)
    await this.#untilHeld()
    return ((await this.#server.ask('cpu')) - before) / messages
  }

  async #untilHeld(): Promise<void> {
    while ((await this.#server.ask('held')) < POLLS) await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

function sidesOf(): Side[] {
  const here = (file: string): URL => new URL(file, import.meta.url)
  const all = [
    new Side('koa-comet', here('./comet-server.js'), here('./comet-poll-load.js')),
    new Side(RAW, here('./raw-server.js'), here('./comet-poll-load.js')),
  ]
  if (hasPeers) {
    all.push(new Side('socket.io', new URL('socket-io-server.js', PEERS), here('./socket-io-poll-load.js')))
  }
  return all
}

async function measure(): Promise<readonly Side[]> {
  const sides = sidesOf()
  try {
    for (const side of sides) await side.open()
    for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++) {
      for (const side of sides) await side.round()
    }
  } finally {
    for (const side of sides) await side.stop()
  }
  return sides
}

/** Prints a table. Returns whether all bounds were kept. */
function report(sides: readonly Side[]): boolean {
  const print = table(sides.length)
  print(
    `${POLLS.toLocaleString('en')} polls, ${ROUNDS} rounds`,
    sides.map(({ name }) => name),
  )
  const verdicts = BOUNDS.map(({ what, mostCpuRatio }) => {
    const costs = sides.map(({ cpuMicroseconds }) => cpuMicroseconds[what].slice(WARM_UP_ROUNDS))
    const raw = costs[sides.findIndex(({ name }) => name === RAW)]!
    const ratios = costs.map((values) => median(values.map((each, round) => each / raw[round]!)))
    const isCheap = ratios[0]! <= mostCpuRatio
    print(
      `server CPU per message and answer, ${what}`,
      costs.map((values) => `${median(values).toFixed(1)} µs`),
    )
    print(
      'times that of node:http, median of the rounds',
      ratios.map((ratio) => ratio.toFixed(2)),
      `${mark(isCheap)} at most ${mostCpuRatio}`,
    )
    return isCheap
  })
  return verdicts.every((holds) => holds)
}

sayIfWithoutPeers()
process.exitCode = report(await withinDeadline(measure())) ? 0 : 1
