import assert from 'node:assert/strict'
import type { Retention } from '../../lib/comet-state-provider.ts'
import { LONG_SECONDS } from './operations.ts'
import { ProviderNode } from './provider-node.ts'
import type { ProviderStorage } from './provider-storage.ts'
import { RecordingListener } from './recording-listener.ts'

/** More than any rule appends. */
export const AMPLE_RETENTION: Retention = {
  seconds: LONG_SECONDS,
  messages: 100_000,
  bytes: 64 * 1024 * 1024,
}

/** Opens a node over the store: by default of the channel `contract`, with {@link AMPLE_RETENTION}. */
export type OpenNode = (options?: { name?: string; retention?: Retention }) => Promise<ProviderNode>

/** The nodes that one test opens over one store. */
export class ProviderNodes {
  readonly #storage: ProviderStorage
  readonly #nodes: ProviderNode[] = []

  constructor(storage: ProviderStorage) {
    this.#storage = storage
  }

  readonly open: OpenNode = async ({ name = 'contract', retention = AMPLE_RETENTION } = {}) => {
    const node = new ProviderNode(await this.#storage.createProvider(), new RecordingListener())
    this.#nodes.push(node)
    await node.provider.open(name, node.listener, retention)
    assert.ok(node.listener.calls > 0, 'reset comes before open resolves')
    return node
  }

  /** Lets time go by on the store's clock; really waits if the store's clock cannot be moved. */
  readonly pass = async (seconds: number): Promise<void> => {
    if (this.#storage.advance) await this.#storage.advance(seconds)
    else await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
  }

  assertSound(): void {
    for (const { listener } of this.#nodes) listener.assertSound()
  }

  async close(): Promise<void> {
    for (const { provider } of this.#nodes) await provider.close()
    await this.#storage.dispose()
  }
}

/** Polls until it holds; fails after 3 s. For what a provider promises soon, but not when. */
export async function eventually(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = performance.now() + 3000; !(await holds()); ) {
    assert.ok(performance.now() < deadline, `${what}: not within 3 s`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
