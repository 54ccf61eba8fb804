/** In the order in which the scripts name them. */
const PARTS = [
  'channel',
  'log',
  'clients',
  'records',
  'secrets',
  'leases',
  'sightings',
  'audience',
  'key-ids',
  'key-times',
  'stopped',
  'claims',
  'claim-times',
  'replies',
  'reply-order',
  'stops',
  'aside',
] as const

/** The keys of one channel: `<keyPrefix>{<prefix>:<name>}:<part>`. By the hash tag all of them are in one slot. */
export class ChannelKeys {
  /** Those that every node shares. */
  readonly shared: readonly string[]
  readonly log: string
  readonly #base: string

  /** @param keyPrefix what the app's own client puts before every key */
  constructor(keyPrefix: string, prefix: string, name: string) {
    this.#base = `${keyPrefix}{${prefix}:${name}}:`
    this.shared = PARTS.map((part) => `${this.#base}${part}`)
    this.log = `${this.#base}log`
  }

  /** What the newest call of a node's lane came to: it goes by itself some minutes later. */
  callOf(lane: string): string {
    return `${this.#base}call:${lane}`
  }
}
