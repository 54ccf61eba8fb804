import { loadavg } from 'node:os'
import { RedisIsMissing, startRedis } from '../samples/cluster/redis-process.ts'
import type { Bursts } from './bursts.ts'
import { TaskProcess, type Tasks } from './child-process.ts'
import { withinDeadline } from './deadline.ts'
import { hasPeers, PEERS, sayIfWithoutPeers } from './peers.ts'
import type { StreamLoadTasks } from './stream-load.ts'
import { mark, median, table } from './table.ts'

/**
 * What a message to one client costs the node that the client is at, when another node sends it by Redis, beside Node's
 * own server that reads a stream of Redis, and socket.io. Nodes, pages and Redis are processes of their own; the sides
 * take turns. Ends with 1 if a bound is broken.
 */

const STREAMS = 1_000
/** To each stream, in each round. */
const MESSAGES_EACH = 2
/**
 * Until all code is compiled for good: some of it runs for the first time when the node has retained 10,000 messages, and
 * some when it has dropped 32 of each client's.
 */
const WARM_UP_ROUNDS = 30
const ROUNDS = 15
/** Where a process has its objects and its code differs from start to start, and with it the ratio by a tenth. */
const STARTS = 3
const TEXT = 'a message of the length that a line of a chat has'

const RAW = 'node:http'
/** Of Node's own server. */
const MOST_CPU_RATIO = 1.2
/** Above this something else is at work here, too. */
const MOST_LOAD = 1.5

/** What a node can be asked. */
interface NodeTasks extends Tasks {
  listen(): Promise<number>
  /** The private tokens of so many pages that may come. */
  initialise(count: number): readonly string[] | Promise<readonly string[]>
  cpu(): number
  sendToEach(bursts: Bursts): Promise<void>
}

type LoadTasks = Pick<StreamLoadTasks, 'open' | 'received'>

/** Two nodes of one kind, and all pages at one of them. */
class Side {
  readonly name: string
  /** Of the node that has the pages, of each message: one value for each round. */
  readonly cpuMicroseconds: number[] = []
  readonly #receiver: TaskProcess<NodeTasks>
  readonly #publisher: TaskProcess<NodeTasks>
  readonly #load: TaskProcess<LoadTasks & Tasks>
  #port = 0
  #sentToEach = 0

  constructor(name: string, node: URL, load: URL, redisUrl: string) {
    this.name = name
    this.#receiver = new TaskProcess(node, [redisUrl])
    this.#publisher = new TaskProcess(node, [redisUrl])
    this.#load = new TaskProcess(load)
  }

  async open(): Promise<void> {
    this.#port = await this.#receiver.ask('listen')
    await this.#publisher.ask('listen')
    const privateTokens = await this.#receiver.ask('initialise', STREAMS)
    await this.#load.ask('open', { port: this.#port, privateTokens })
  }

  /** Ends when each page has got all that was sent to it, and nothing else. */
  async round(): Promise<void> {
    this.#sentToEach += MESSAGES_EACH
    const before = await this.#receiver.ask('cpu')
    await Promise.all([
      this.#load.ask('received', { port: this.#port, count: this.#sentToEach }),
      this.#publisher.ask('sendToEach', { receivers: STREAMS, messagesEach: MESSAGES_EACH, text: TEXT }),
    ])
    const cost = (await this.#receiver.ask('cpu')) - before
    this.cpuMicroseconds.push(cost / (STREAMS * MESSAGES_EACH))
  }

  async stop(): Promise<void> {
    for (const each of [this.#receiver, this.#publisher, this.#load]) await each.stop()
  }
}

function sidesOf(redisUrl: string): Side[] {
  const here = (file: string): URL => new URL(file, import.meta.url)
  const sides = [
    new Side('koa-comet', here('./comet-server.js'), here('./stream-load.js'), redisUrl),
    new Side(RAW, here('./raw-redis-node.js'), here('./stream-load.js'), redisUrl),
  ]
  if (hasPeers) {
    const socketIo = ['socket-io-node.js', 'socket-io-load.js'].map((file) => new URL(file, PEERS))
    sides.push(new Side('socket.io', socketIo[0]!, socketIo[1]!, redisUrl))
  }
  return sides
}

/** The CPU per message of each side, one value for each round, by the names of the sides. */
type Measured = ReadonlyMap<string, readonly number[]>

async function measure(): Promise<Measured> {
  const redis = await startRedis()
  const sides = sidesOf(redis.url)
  try {
    await withinDeadline(takeTurns(sides))
  } finally {
    for (const side of sides) await side.stop()
    await redis.end()
  }
  return new Map(sides.map(({ name, cpuMicroseconds }) => [name, cpuMicroseconds.slice(WARM_UP_ROUNDS)]))
}

/** As from one start, with the rounds of all. */
async function measureAll(): Promise<Measured> {
  const all = new Map<string, number[]>()
  for (let start = 0; start < STARTS; start++) {
    for (const [name, values] of await measure()) all.set(name, [...(all.get(name) ?? []), ...values])
  }
  return all
}

async function takeTurns(sides: readonly Side[]): Promise<void> {
  for (const side of sides) await side.open()
  for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++) {
    for (const side of sides) await side.round()
  }
}

/** Prints a table. Returns whether all bounds were kept. */
function report(measured: Measured): boolean {
  const print = table(measured.size)
  const names = [...measured.keys()]
  const raw = measured.get(RAW)!
  // What slows the machine down for a while slows all sides of a round.
  const ratioOf = (values: readonly number[]) => median(values.map((each, round) => each / raw[round]!))
  const ratios = [...measured.values()].map(ratioOf)
  const isCheap = ratios[0]! <= MOST_CPU_RATIO
  print(`two nodes over Redis, ${STREAMS.toLocaleString('en')} streams at one`, names)
  print(
    `its CPU per message to one, ${STARTS} x ${ROUNDS} rounds`,
    [...measured.values()].map((values) => `${median(values).toFixed(1)} µs`),
  )
  print(
    'times that of node:http, median of the rounds',
    ratios.map((ratio) => ratio.toFixed(2)),
    `${mark(isCheap)} at most ${MOST_CPU_RATIO}`,
  )
  return isCheap
}

const [load] = loadavg()
console.log(`Load average before: ${load!.toFixed(2)}.`)
if (load! > MOST_LOAD) console.log('Something else is at work on this machine: compare ratios only.')
sayIfWithoutPeers()

try {
  process.exitCode = report(await measureAll()) ? 0 : 1
} catch (error) {
  if (error instanceof RedisIsMissing) {
    console.log('Without a table of Redis: apt-get install redis-server, or set REDIS_SERVER_PATH.')
  } else {
    console.error(error)
    // What is still running would wait for what never comes.
    process.exit(1)
  }
}
