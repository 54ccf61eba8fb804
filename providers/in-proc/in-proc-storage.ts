import { StoredChannel } from './stored-channel.ts'

/**
 * What in-process providers keep, by the names of the channels. A provider has one of its own; two providers that are
 * given the same one, and the same name, are two nodes of one channel, which is how an app can try out several nodes
 * in one process.
 */
export class InProcStorage {
  readonly #now: () => number
  readonly #channels = new Map<string, StoredChannel>()

  /** @param now milliseconds on a clock that never jumps; a test can give its own. Default: the monotonic clock. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** The channel of this name. It begins when it is first asked for. */
  channel(name: string): StoredChannel {
    const known = this.#channels.get(name)
    if (known) return known
    const channel = new StoredChannel(this.#now)
    this.#channels.set(name, channel)
    return channel
  }
}
