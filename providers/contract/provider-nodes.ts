import assert from 'node:assert/strict'
import type { Retention } from '../../lib/comet-state-provider.ts'
import { goesOn } from './goes-on.ts'
import { LONG_SECONDS } from './operations.ts'
import { ProviderNode } from './provider-node.ts'
import type { Interruption, ProviderStorage } from './provider-storage.ts'
import { RecordingListener } from './recording-listener.ts'
import { settled } from './waiting.ts'

/** More than any rule appends. */
export const AMPLE_RETENTION: Retention = {
  seconds: LONG_SECONDS,
  messages: 100_000,
  bytes: 64 * 1024 * 1024,
}

export interface OpenOptions {
  /** Of the channel. Default `contract`. */
  readonly name?: string
  /** Default {@link AMPLE_RETENTION}. */
  readonly retention?: Retention
}

/** How long a call may take that `close` or a failing store comes in the way of, unless the options say otherwise. */
export const DEFAULT_SETTLE_SECONDS = 10

/** The nodes that one test opens over one store that it has for itself, and what can be done to them. */
export class ProviderNodes {
  readonly settleSeconds: number
  /** A retention time that does not take long to {@link passAlmost}. */
  readonly retentionSeconds: number
  readonly #storage: ProviderStorage
  readonly #listeners: RecordingListener[] = []
  /** Those whose process is not dead. */
  readonly #nodes = new Set<ProviderNode>()

  constructor(storage: ProviderStorage, settleSeconds = DEFAULT_SETTLE_SECONDS) {
    this.#storage = storage
    this.settleSeconds = settleSeconds
    this.retentionSeconds = storage.advance ? 60 : 4
  }

  /** The ways in which the store can be made to fail for a time. */
  get interruptions(): readonly Interruption[] {
    return this.#storage.faults?.interruptions ?? []
  }

  /** A node that is not opened yet. It is closed when the test ends. */
  readonly create = async (): Promise<ProviderNode> => {
    const node = new ProviderNode(await this.#storage.createProvider(), new RecordingListener())
    this.#nodes.add(node)
    this.#listeners.push(node.listener)
    return node
  }

  /** Opens a node that was created, or closed. */
  readonly reopen = async (
    { provider, listener }: ProviderNode,
    { name = 'contract', retention = AMPLE_RETENTION }: OpenOptions = {},
  ): Promise<void> => {
    await provider.open(name, listener, retention)
  }

  readonly open = async (options?: OpenOptions): Promise<ProviderNode> => {
    const node = await this.create()
    await this.reopen(node, options)
    assert.ok(node.listener.calls > 0, 'reset comes before open resolves')
    return node
  }

  /** Lets time go by on the store's clock; really waits if the store's clock cannot be moved. */
  readonly pass = async (seconds: number): Promise<void> => {
    if (this.#storage.advance) await this.#storage.advance(seconds)
    else await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
  }

  /** Lets nearly so much time go by: it is not over for a second more. */
  readonly passAlmost = async (seconds: number): Promise<void> => {
    await this.pass(seconds - 1)
  }

  /**
   * Lets at least so much time go by on every clock there may be, the system's and the store's. Answers with how far
   * the store's was moved, in milliseconds.
   */
  readonly passMoment = async (milliseconds: number): Promise<number> => {
    await this.#storage.advance?.(1)
    await new Promise((resolve) => setTimeout(resolve, milliseconds))
    return this.#storage.advance ? 1000 : 0
  }

  /** How a call ended. Fails if it does not end. */
  readonly settled = <T>(what: string, call: Promise<T>): Promise<PromiseSettledResult<T>> => {
    return settled(what, call, this.settleSeconds)
  }

  readonly closeAll = async (): Promise<void> => {
    for (const { provider } of this.#nodes) await provider.close()
    this.#nodes.clear()
  }

  /**
   * Closes all nodes and opens a new one, while `between` happens in between. `undefined` if the store begins a new
   * life of the log, as one may that is not durable: there is nothing to go on with then.
   */
  readonly restart = async (
    options?: OpenOptions,
    between?: () => Promise<void>,
  ): Promise<ProviderNode | undefined> => {
    const [before] = this.#nodes
    assert.ok(before, 'nothing was opened')
    await before.provider.catchUp()
    await this.closeAll()
    await between?.()
    const node = await this.open(options)
    return goesOn(before.listener, node) ? node : undefined
  }

  /** The process of the node dies. Nothing is to be expected of it any more. */
  readonly crash = async (node: ProviderNode): Promise<void> => {
    await this.#storage.faults?.crash?.(node.provider)
    this.#nodes.delete(node)
  }

  assertSound(): void {
    for (const listener of this.#listeners) listener.assertSound()
  }

  async dispose(): Promise<void> {
    try {
      await this.closeAll()
    } finally {
      await this.#storage.dispose()
    }
  }
}
