import { AMPLE_RETENTION } from '../../../providers/contract/provider-nodes.ts'
import { ChannelKeys } from '../../../providers/redis/channel-keys.ts'
import type { Script } from '../../../providers/redis/scripts.ts'
import type { RedisStore } from './redis-store.ts'

/** What a node says with a call, as far as the test has something to say. */
export interface CallHeader {
  readonly epoch?: string
  readonly number?: number
  readonly seen?: { readonly epoch: string; readonly head: number; readonly at: number }
}

/** Calls the scripts of the channel `chat` of a store as a node does, in the place of one. */
export class ScriptCaller {
  readonly #store: RedisStore
  readonly #keys: ChannelKeys

  constructor(store: RedisStore) {
    this.#store = store
    this.#keys = new ChannelKeys('', store.prefix, 'chat')
  }

  async call({ source }: Script, header: CallHeader = {}, ...args: string[]): Promise<unknown> {
    const { all: keys } = this.#keys
    const complete = {
      epoch: 'unnamed',
      lane: 'test',
      retention: AMPLE_RETENTION,
      rememberMs: AMPLE_RETENTION.seconds * 1000,
      // Nobody gives it up.
      latest: Number.MAX_SAFE_INTEGER,
      now: this.#store.nowMs,
      ...header,
    }
    return this.#store.server.command(
      'EVAL',
      source,
      String(keys.length),
      ...keys,
      JSON.stringify(complete),
      ...args,
    )
  }
}
