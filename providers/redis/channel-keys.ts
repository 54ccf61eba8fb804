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
  'calls',
  'call-times',
] as const

/** The keys of one channel: `<keyPrefix>{<prefix>:<name>}:<part>`. By the hash tag all of them are in one slot. */
export class ChannelKeys {
  /** In the order in which the scripts name them. */
  readonly all: readonly string[]
  readonly log: string

  /** @param keyPrefix what the app's own client puts before every key */
  constructor(keyPrefix: string, prefix: string, name: string) {
    const base = `${keyPrefix}{${prefix}:${name}}:`
    this.all = PARTS.map((part) => `${base}${part}`)
    this.log = `${base}log`
  }
}
