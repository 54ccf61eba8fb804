import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { createClient } from 'redis'
import { eventually } from '../eventually.ts'
import { RedisGate } from './redis-gate.ts'
import { RedisServer } from './redis-server.ts'

/** What is to be told of a request. */
export class Call {
  state: 'pending' | 'answered' | 'rejected' = 'pending'

  constructor(reply: Promise<unknown>) {
    reply.then(
      () => {
        this.state = 'answered'
      },
      () => {
        this.state = 'rejected'
      },
    )
  }

  async ended(): Promise<string> {
    await eventually(() => this.state !== 'pending')
    return this.state
  }
}

/** A server, a gate in front of it that is new for each test, and clients that come through it. */
export class GateBench {
  readonly server: RedisServer
  /** Another one, which no gate leads to yet. */
  readonly other: RedisServer
  #gate: RedisGate
  readonly #clients: { destroy(): void }[] = []

  private constructor(server: RedisServer, other: RedisServer, gate: RedisGate) {
    this.server = server
    this.other = other
    this.#gate = gate
  }

  static async open(): Promise<GateBench> {
    const [server, other] = await Promise.all([RedisServer.start(), RedisServer.start()])
    return new GateBench(server, other, await RedisGate.open(server.port))
  }

  get gate(): RedisGate {
    return this.#gate
  }

  /** Between two tests: nothing of the first is there in the second. */
  async renew(): Promise<void> {
    this.server.thaw()
    for (const client of this.#clients.splice(0)) client.destroy()
    await this.#gate.close()
    for (const server of [this.server, this.other]) await server.command('FLUSHALL')
    this.#gate = await RedisGate.open(this.server.port)
  }

  async close(): Promise<void> {
    await this.#gate.close()
    await Promise.all([this.server.dispose(), this.other.dispose()])
  }

  /** A client that comes through the gate. Once it has lost its connection it is of no use. */
  async client(gate = this.#gate) {
    const socket = { reconnectStrategy: false } as const
    const client = createClient({ url: gate.url, socket, disableOfflineQueue: true })
    client.on('error', () => {})
    this.#clients.push(client)
    await client.connect()
    return client
  }

  /** A bare connection through the gate. */
  async socket(): Promise<Socket> {
    const socket = connect(this.gate.port, '127.0.0.1')
    this.#clients.push({ destroy: () => socket.destroy() })
    await once(socket, 'connect')
    return socket
  }

  /** Long enough for what is not held back: other bytes go to a server and back, again and again. */
  async aWhile(): Promise<void> {
    for (let round = 0; round < 20; round += 1) await this.other.command('PING')
  }

  /** What the server has. */
  get(key: string): Promise<unknown> {
    return this.server.command('GET', key)
  }

  async untilStored(key: string, value: string): Promise<void> {
    while ((await this.get(key)) !== value);
  }

  /** How many connections the server has. */
  async connections(): Promise<number> {
    return (await this.#listed()).length
  }

  async untilConnections(count: number): Promise<void> {
    while ((await this.connections()) !== count);
  }

  /** Until a client waits at the server, by BLPOP. */
  async untilWaiting(): Promise<void> {
    while (!(await this.#listed()).some((client) => client.includes('cmd=blpop')));
  }

  /** As the server does that goes away. */
  async dropClients(): Promise<void> {
    await this.server.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
  }

  /** What has really hit, and how often. */
  hits(): object {
    return Object.fromEntries(Object.entries(this.gate.hits).filter(([, count]) => count > 0))
  }

  async #listed(): Promise<string[]> {
    return String(await this.server.command('CLIENT', 'LIST'))
      .trim()
      .split('\n')
  }
}
