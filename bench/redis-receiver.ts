import { createClient, type RedisClientType } from 'redis'
import { RedisIsMissing, startRedis } from '../samples/cluster/redis-process.ts'
import { TaskProcess, type Tasks } from './child-process.ts'
import { CORES, leaveServersCore, NOTE_ON_CORES } from './cores.ts'
import { environment } from './environment.ts'
import { OtherLoad } from './other-load.ts'
import { peersOf } from './peers.ts'
import { COMET_STREAMS, RAW_REDIS_STREAMS } from './programs.ts'
import { publish } from './publish.ts'
import { atMost, RAW, type Result, rowOf } from './result.ts'
import type { Bursts } from './send-in-bursts.ts'
import { TEXT } from './sends.ts'
import { Side, type SidePrograms } from './side.ts'
import { noteOnRounds, takeTurns } from './turns.ts'

/**
 * What a message to one client costs the node that the client is at, when another node sends it by Redis, beside Node's
 * own server that reads a stream of Redis, and socket.io.
 */

const STREAMS = 1_000
/** To each stream, in each round. */
const MESSAGES_EACH = 2
const ROUNDS = {
  starts: 3,
  // Some code runs for the first time when the node has retained 10,000 messages, and some when it has dropped 32 of
  // each client's.
  warmUpRounds: 30,
  rounds: 15,
}

/** What a node that sends can be asked. */
interface PublisherTasks extends Tasks {
  listen(): Promise<number>
  sendToEach(bursts: Bursts): Promise<void>
}

/** Two nodes of one kind: all pages are at the one that is measured, the other one sends. */
class TwoNodes extends Side {
  readonly #node: SidePrograms
  readonly #redisUrl: string
  #publisher!: TaskProcess<PublisherTasks>

  constructor(programs: SidePrograms, redisUrl: string) {
    const node = { ...programs, args: [redisUrl] }
    super(node)
    this.#node = node
    this.#redisUrl = redisUrl
  }

  override async start(): Promise<void> {
    await super.start()
    this.#publisher = new TaskProcess(this.#node.server, this.#node.args, CORES?.load)
    await this.#publisher.ask('listen')
  }

  override async stop(): Promise<void> {
    await super.stop()
    await this.#publisher?.stop()
    // The next start begins with new clients: those of this one would be sent to as well.
    await withRedis(this.#redisUrl, (client) => client.flushAll())
  }

  /** Resolves when each page has got all that was sent to it, and nothing else. */
  async sendToEach(messagesEach: number): Promise<void> {
    await this.#publisher.ask('sendToEach', { receivers: STREAMS, messagesEach, text: TEXT })
    await this.received(STREAMS * messagesEach)
  }
}

async function open(side: TwoNodes): Promise<void> {
  await side.open(await side.initialise(STREAMS))
}

async function round(side: TwoNodes): Promise<{ perMessage: number }> {
  const cpu = await side.cpuOf(() => side.sendToEach(MESSAGES_EACH))
  return { perMessage: cpu / (STREAMS * MESSAGES_EACH) }
}

async function measure(redisUrl: string): Promise<Result> {
  const { peers, missing } = peersOf('redis-receiver')
  const sides = [COMET_STREAMS, RAW_REDIS_STREAMS, ...peers].map(
    (programs) => new TwoNodes(programs, redisUrl),
  )
  const otherLoad = new OtherLoad()
  await takeTurns(sides, { ...ROUNDS, open, round }, otherLoad)
  const row = rowOf(sides, {
    measure: 'perMessage',
    what: 'its CPU, for each message to one',
    unit: 'µs',
    ratioTo: RAW,
    demands: [atMost(1.2)],
  })
  return {
    name: 'redis-receiver',
    title: `Two nodes over Redis, ${STREAMS.toLocaleString('en')} streams at one`,
    sides: sides.map(({ name }) => name),
    rows: [row],
    notes: [noteOnRounds(ROUNDS), NOTE_ON_CORES, ...otherLoad.notes(), ...missing],
    versions: [
      ...environment('koa', 'redis'),
      await versionOf(redisUrl),
      ...peers.map(({ version }) => version),
    ],
  }
}

async function withRedis<T>(url: string, ask: (client: RedisClientType) => Promise<T>): Promise<T> {
  const client: RedisClientType = createClient({ url })
  await client.connect()
  try {
    return await ask(client)
  } finally {
    client.destroy()
  }
}

async function versionOf(redisUrl: string): Promise<string> {
  const information = await withRedis(redisUrl, (client) => client.info('server'))
  return `Redis server ${/^redis_version:(.*)$/m.exec(information)?.[1]?.trim()}`
}

leaveServersCore()
try {
  const redis = await startRedis()
  try {
    await publish(() => measure(redis.url))
  } finally {
    await redis.end()
  }
} catch (error) {
  if (!(error instanceof RedisIsMissing)) throw error
  console.log('Without a table of Redis: apt-get install redis-server, or set REDIS_SERVER_PATH.')
}
