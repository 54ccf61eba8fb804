import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import type { Retention } from 'koa-comet'
import { SqliteCometStateProvider, type SqliteCometStateProviderOptions } from 'koa-comet/providers/sqlite'
import { ProviderNode } from '../../providers/contract/provider-node.ts'
import { AMPLE_RETENTION } from '../../providers/contract/provider-nodes.ts'
import { RecordingListener } from '../../providers/contract/recording-listener.ts'

export interface NodeOptions extends SqliteCometStateProviderOptions {
  /** Default: the store's own. */
  readonly file?: string
  /** Of the channel. Default `chat`. */
  readonly name?: string
  readonly retention?: Partial<Retention>
}

/** A file in a folder of its own, the nodes that a test opens on it, and connections of the app. */
export class SqliteStore {
  readonly folder = mkdtempSync(join(tmpdir(), 'koa-comet-sqlite-'))
  readonly file = join(this.folder, 'app.db')
  /** Moves only when a test moves it. */
  nowMs = Date.UTC(2030, 0)
  readonly #nodes: ProviderNode[] = []
  readonly #connections: Database.Database[] = []

  /** A node that is not opened yet. */
  node({ file = this.file, ...options }: SqliteCometStateProviderOptions & { file?: string } = {}) {
    const provider = new SqliteCometStateProvider(file, { now: () => this.nowMs, ...options })
    const node = new ProviderNode(provider, new RecordingListener())
    this.#nodes.push(node)
    return node
  }

  async open({ name = 'chat', retention, ...options }: NodeOptions = {}): Promise<ProviderNode> {
    const node = this.node(options)
    await node.provider.open(name, node.listener, { ...AMPLE_RETENTION, ...retention })
    return node
  }

  /** Like one of the app: it waits for nobody. */
  connect(file = this.file): Database.Database {
    const connection = new Database(file, { timeout: 0 })
    this.#connections.push(connection)
    return connection
  }

  async closeAll(): Promise<void> {
    for (const { provider } of this.#nodes.splice(0)) await provider.close()
    for (const connection of this.#connections.splice(0)) connection.close()
  }

  async dispose(): Promise<void> {
    await this.closeAll()
    rmSync(this.folder, { recursive: true })
  }
}

const stores: SqliteStore[] = []

export function createStore(): SqliteStore {
  const store = new SqliteStore()
  stores.push(store)
  return store
}

/** For `afterEach`: closes and deletes what the test made. */
export async function disposeStores(): Promise<void> {
  for (const store of stores.splice(0)) await store.dispose()
}
