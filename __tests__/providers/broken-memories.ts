import type {
  ClientRecord,
  Entry,
  ICometStateProvider,
  Operation,
  Outcome,
  RetainedLog,
  Retention,
} from '../../lib/comet-state-provider.ts'
import { ProviderWrapper } from '../support/provider-wrapper.ts'
import { changeSends } from './broken-feeds.ts'
import type { Swept } from './broken-leases.ts'

/** Providers that forget too early, or too late, each in one way. */

/** Knows the store's clock, and how much is to be retained. */
abstract class RetentionWrapper extends ProviderWrapper {
  protected readonly now: () => number
  protected retention: Retention = { seconds: 0, messages: 0, bytes: 0 }

  constructor(inner: ICometStateProvider, _swept: Swept, now: () => number) {
    super(inner)
    this.now = now
  }

  override open(...[name, listener, retention]: Parameters<ICometStateProvider['open']>): Promise<void> {
    this.retention = retention
    return super.open(name, listener, retention)
  }

  protected isHalfOver(since: number): boolean {
    return this.now() - since > (this.retention.seconds * 1000) / 2
  }
}

export class RemembersKeysForHalfTheTime extends RetentionWrapper {
  readonly #firstAt = new Map<string, number>()

  override append(operations: readonly Operation[]): Promise<Outcome[]> {
    return super.append(
      changeSends(operations, (send) => {
        if (send.key === undefined) return send
        const at = this.#firstAt.get(send.key) ?? this.now()
        this.#firstAt.set(send.key, at)
        return this.isHalfOver(at) ? { ...send, key: `${send.key} again` } : send
      }),
    )
  }
}

/** Knows a key as long as its message is in the window. */
export class ForgetsAKeyWithItsMessage extends RetentionWrapper {
  readonly #numbers = new Map<string, number>()
  #sends = 0

  override append(operations: readonly Operation[]): Promise<Outcome[]> {
    return super.append(
      changeSends(operations, (send) => {
        this.#sends += 1
        if (send.key === undefined) return send
        const number = this.#numbers.get(send.key) ?? this.#sends
        this.#numbers.set(send.key, number)
        const isTrimmed = this.#sends - number > this.retention.messages
        return isTrimmed ? { ...send, key: `${send.key} again` } : send
      }),
    )
  }
}

export class RemembersStoppedTokensForHalfTheTime extends RetentionWrapper {
  #stoppedAt = 0

  override append(operations: readonly Operation[]): Promise<Outcome[]> {
    if (operations.some(({ kind }) => kind === 'stop')) this.#stoppedAt = this.now()
    return super.append(operations)
  }

  override async getClient(privateTokenHash: string): Promise<ClientRecord | 'stopped' | undefined> {
    const found = await super.getClient(privateTokenHash)
    return found === 'stopped' && this.isHalfOver(this.#stoppedAt) ? undefined : found
  }
}

/** Has room for a hundred. */
export class RemembersTheNewestStoppedTokens extends ProviderWrapper {
  readonly #hashes: string[] = []

  override append(operations: readonly Operation[]): Promise<Outcome[]> {
    for (const operation of operations) {
      if (operation.kind === 'initialise') this.#hashes.push(operation.privateTokenHash)
    }
    return super.append(operations)
  }

  override async getClient(privateTokenHash: string): Promise<ClientRecord | 'stopped' | undefined> {
    const found = await super.getClient(privateTokenHash)
    const isAmongNewest = this.#hashes.slice(-100).includes(privateTokenHash)
    return found === 'stopped' && !isAmongNewest ? undefined : found
  }
}

export class TrimsAfterHalfTheTime extends ProviderWrapper {
  override open(...[name, listener, retention]: Parameters<ICometStateProvider['open']>): Promise<void> {
    return super.open(name, listener, { ...retention, seconds: retention.seconds / 2 })
  }
}

const tableOfNames: string[] = []

/** So that the window does not count them. */
export class KeepsNamesInATableOfTheirOwn extends ProviderWrapper {
  override append(operations: readonly Operation[]): Promise<Outcome[]> {
    return super.append(
      changeSends(operations, (send) => ({ ...send, name: String(tableOfNames.push(send.name) - 1) })),
    )
  }

  protected override begin(log: RetainedLog): void {
    super.begin({ ...log, entries: log.entries.map(named) })
  }

  protected override feed(entries: readonly Entry[]): void {
    super.feed(entries.map(named))
  }
}

function named(entry: Entry): Entry {
  return entry.kind === 'message' ? { ...entry, name: tableOfNames[Number(entry.name)]! } : entry
}
