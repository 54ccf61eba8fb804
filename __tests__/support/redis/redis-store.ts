import { randomUUID } from 'node:crypto'
import type { Retention } from 'koa-comet'
import { RedisCometStateProvider, type RedisCometStateProviderOptions } from 'koa-comet/providers/redis'
import { createClient } from 'redis'
import { ProviderNode } from '../../../providers/contract/provider-node.ts'
import { AMPLE_RETENTION } from '../../../providers/contract/provider-nodes.ts'
import { RecordingListener } from '../../../providers/contract/recording-listener.ts'
import { RedisGate } from './redis-gate.ts'
import { RedisLine } from './redis-line.ts'
import { RedisServer } from './redis-server.ts'

export interface NodeOptions extends RedisCometStateProviderOptions {
  /** By which the node reaches the server, a gate or a line. Default: none, it goes there itself. */
  readonly gate?: { readonly url: string }
}

export interface OpenOptions extends NodeOptions {
  /** Of the channel. Default `chat`. */
  readonly name?: string
  readonly retention?: Partial<Retention>
}

/** Keys of its own on a server, and the nodes and gates that a test opens. */
export class RedisStore {
  readonly server: RedisServer
  /** That of its nodes, unless they are given another one. */
  readonly prefix = `koa-comet-${randomUUID()}`
  /** The clock of its nodes. Moves only when a test moves it. */
  nowMs = Date.UTC(2030, 0)
  readonly #nodes: ProviderNode[] = []
  readonly #gates: RedisGate[] = []
  readonly #lines: RedisLine[] = []

  constructor(server: RedisServer) {
    this.server = server
  }

  /** A gate in front of the server. */
  async openGate(): Promise<RedisGate> {
    const gate = await RedisGate.open(this.server.port)
    this.#gates.push(gate)
    return gate
  }

  /** A line to the server. */
  async openLine(): Promise<RedisLine> {
    const line = new RedisLine(this.server)
    this.#lines.push(line)
    await line.open()
    return line
  }

  /** A node that is not opened yet. */
  node({ gate, ...options }: NodeOptions = {}): ProviderNode {
    // Never connected: a provider makes its own connections as this one would be made.
    const client = createClient({ url: gate?.url ?? this.server.url })
    const provider = new RedisCometStateProvider(client, {
      prefix: this.prefix,
      now: () => this.nowMs,
      ...options,
    })
    const node = new ProviderNode(provider, new RecordingListener())
    this.#nodes.push(node)
    return node
  }

  async open({ name = 'chat', retention, ...options }: OpenOptions = {}): Promise<ProviderNode> {
    const node = this.node(options)
    await node.provider.open(name, node.listener, { ...AMPLE_RETENTION, ...retention })
    return node
  }

  /** What its nodes have on the server. */
  async keys(): Promise<string[]> {
    return (await this.server.command('KEYS', `{${this.prefix}:*`)) as string[]
  }

  async closeAll(): Promise<void> {
    for (const { provider } of this.#nodes.splice(0)) await provider.close()
  }

  /** Leaves nothing of it, be the server frozen; one that does not run is left alone. */
  async dispose(): Promise<void> {
    this.server.thaw()
    await this.closeAll()
    for (const gate of this.#gates.splice(0)) await gate.close()
    for (const line of this.#lines.splice(0)) await line.close()
    if (this.server.pid === undefined) return
    const keys = await this.keys()
    if (keys.length > 0) await this.server.command('UNLINK', ...keys)
  }
}

const stores: RedisStore[] = []
let shared: Promise<RedisServer> | undefined

/**
 * One that all stores of a test file share, since to start one takes its time. It keeps what it is told, as a provider
 * wants it. A test may freeze it, but not end it.
 */
export function sharedServer(): Promise<RedisServer> {
  shared ??= RedisServer.start({ config: { appendonly: 'yes' } })
  return shared
}

/** For `afterAll`. */
export async function disposeSharedServer(): Promise<void> {
  await (await shared)?.dispose()
  shared = undefined
}

/** @param server default: the shared one */
export async function createStore(server?: RedisServer): Promise<RedisStore> {
  const store = new RedisStore(server ?? (await sharedServer()))
  stores.push(store)
  return store
}

/** For `afterEach`, before `disposeServers` if both are there: closes and deletes what the test made. */
export async function disposeStores(): Promise<void> {
  for (const store of stores.splice(0)) await store.dispose()
}
