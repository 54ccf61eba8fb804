import { TaskProcess, type Tasks } from './child-process.ts'
import type { CometServerTasks } from './comet-server.ts'
import type { ProcessCost } from './process-cost.ts'
import type { RawStreamServerTasks } from './raw-stream-server.ts'
import type { StreamLoadTasks } from './stream-load.ts'
import { mark, median, table } from './table.ts'

/**
 * What a message to thousands of streams costs the server, beside Node's own server that writes one Buffer to each, in
 * alternating rounds of one run. Servers and pages are processes of their own. Ends with 1 if a bound is broken.
 */

const STREAMS = 2_000
const MESSAGES = 50
/** Code that runs for the first time is compiled: that is no cost of a stream. */
const WARM_UP_STREAMS = 500
const ROUNDS = 5
const TEXT = 'a message of the length that a line of a chat has'
const MOST_HEAP_BYTES_PER_STREAM = 10_000

/** Of plain `res.write`. */
const MOST_CPU_RATIO = 0.75

/** What both servers can be asked. */
interface StreamServerTasks extends Tasks {
  listen(): Promise<number>
  cost(): ProcessCost
  cpu(): number
  sendMany(messages: { count: number; text: string }): Promise<void>
}

/** A server with its pages. */
class Side {
  readonly #server: TaskProcess<StreamServerTasks>
  readonly #load: TaskProcess<StreamLoadTasks>
  #port = 0
  #sent = 0
  heapBytesPerStream = 0
  readonly cpuMicroseconds: number[] = []

  constructor(server: TaskProcess<StreamServerTasks>, load: TaskProcess<StreamLoadTasks>) {
    this.#server = server
    this.#load = load
  }

  async open(tokensOf: (count: number) => Promise<readonly string[]>): Promise<void> {
    this.#port = await this.#server.ask('listen')
    await this.#load.ask('open', { port: this.#port, privateTokens: await tokensOf(WARM_UP_STREAMS) })
    await this.#load.ask('close', this.#port)
    const privateTokens = await tokensOf(STREAMS)
    const before = await this.#server.ask('cost')
    await this.#load.ask('open', { port: this.#port, privateTokens })
    const held = await this.#server.ask('cost')
    this.heapBytesPerStream = (held.heapBytes - before.heapBytes) / STREAMS
  }

  async round(): Promise<void> {
    this.#sent += MESSAGES
    const before = await this.#server.ask('cpu')
    const received = this.#load.ask('received', { port: this.#port, count: this.#sent })
    await this.#server.ask('sendMany', { count: MESSAGES, text: TEXT })
    await received
    this.cpuMicroseconds.push(((await this.#server.ask('cpu')) - before) / (MESSAGES * STREAMS))
  }

  stop(): Promise<void> {
    return this.#server.stop()
  }
}

async function measure(): Promise<boolean> {
  const load = new TaskProcess<StreamLoadTasks>(new URL('./stream-load.js', import.meta.url))
  const cometServer = new TaskProcess<CometServerTasks>(new URL('./comet-server.js', import.meta.url))
  const rawServer = new TaskProcess<RawStreamServerTasks>(new URL('./raw-stream-server.js', import.meta.url))
  const [comet, raw] = [new Side(cometServer, load), new Side(rawServer, load)]
  try {
    await comet.open((count) => cometServer.ask('initialise', count))
    await raw.open(async (count) => Array.from({ length: count }, () => 't'.repeat(43)))
    // The first is there to be compiled.
    for (let round = 0; round <= ROUNDS; round++) {
      await comet.round()
      await raw.round()
    }
  } finally {
    for (const each of [comet, raw, load]) await each.stop()
  }
  return report(comet, raw)
}

function report(comet: Side, raw: Side): boolean {
  const ratios = comet.cpuMicroseconds.slice(1).map((each, index) => each / raw.cpuMicroseconds[index + 1]!)
  const ratio = median(ratios)
  const isCheap = ratio <= MOST_CPU_RATIO
  const isSmall = comet.heapBytesPerStream <= MOST_HEAP_BYTES_PER_STREAM
  const print = table(2)
  print(`${STREAMS} streams, ${ROUNDS} rounds of ${MESSAGES} messages`, ['koa-comet', 'node:http'])
  print(
    'server CPU per message and stream, median',
    [comet, raw].map(({ cpuMicroseconds }) => `${median(cpuMicroseconds.slice(1)).toFixed(2)} µs`),
    `${mark(isCheap)} ${ratio.toFixed(2)} times, at most ${MOST_CPU_RATIO}`,
  )
  print(
    'heap per held stream',
    [comet, raw].map(({ heapBytesPerStream }) => `${(heapBytesPerStream / 1000).toFixed(2)} kB`),
    `${mark(isSmall)} at most ${(MOST_HEAP_BYTES_PER_STREAM / 1000).toFixed(2)} kB`,
  )
  return isCheap && isSmall
}

process.exitCode = (await measure()) ? 0 : 1
