import type {
  Entry,
  ICometStateProvider,
  Operation,
  Outcome,
  RetainedLog,
  SendOperation,
} from '../../lib/comet-state-provider.ts'
import { ProviderWrapper } from '../support/provider-wrapper.ts'

/** Providers whose log or feed is wrong, each in one way. */

export class NotifiesBeforeItStores extends ProviderWrapper {
  #toldThrough = 0

  override append(operations: readonly Operation[]): Promise<Outcome[]> {
    const [first] = operations
    if (first?.kind === 'initialise') {
      this.#toldThrough = this.head + 1
      const { publicToken } = first.client
      this.listener?.entries([{ kind: 'initialise', id: this.#toldThrough, publicToken }])
    }
    return Promise.resolve().then(() => this.inner.append(operations))
  }

  override feed(entries: readonly Entry[]): void {
    super.feed(entries.filter(({ id }) => id > this.#toldThrough))
  }
}

export class Overtakes extends ProviderWrapper {
  override feed(entries: readonly Entry[]): void {
    super.feed(entries.toReversed())
  }
}

/** Tells of every third list of entries only after the next one. */
export class ShowsALowerIdLater extends ProviderWrapper {
  #lists = 0
  #late: readonly Entry[] = []

  override feed(entries: readonly Entry[]): void {
    this.#lists += 1
    if (this.#lists % 3 === 0) {
      this.#late = entries
      return
    }
    super.feed([...entries, ...this.#late])
    this.#late = []
  }

  override async catchUp(): Promise<void> {
    super.feed(this.#late)
    this.#late = []
  }
}

export class ReusesAnId extends ProviderWrapper {
  override async append(operations: readonly Operation[]): Promise<Outcome[]> {
    const outcomes = await super.append(operations)
    return outcomes.map((outcome) =>
      'id' in outcome ? { ...outcome, id: outcome.id - (outcome.id % 2) } : outcome,
    )
  }

  override feed(entries: readonly Entry[]): void {
    super.feed(entries.map((entry) => ({ ...entry, id: entry.id - (entry.id % 2) })))
  }
}

export class FeedsTwice extends ProviderWrapper {
  override feed(entries: readonly Entry[]): void {
    super.feed(entries)
    super.feed(entries.slice(-1))
  }
}

/** A provider is fed what it appended itself, and nothing else. */
export class DropsEntriesOfOthers extends ProviderWrapper {
  #appending = false

  override async append(operations: readonly Operation[]): Promise<Outcome[]> {
    this.#appending = true
    const outcomes = this.inner.append(operations)
    this.#appending = false
    return outcomes
  }

  override feed(entries: readonly Entry[]): void {
    if (this.#appending) super.feed(entries)
  }
}

/** Feeds a turn later, but does not wait for it. */
export class CatchesUpTooEarly extends ProviderWrapper {
  override feed(entries: readonly Entry[]): void {
    setImmediate(() => super.feed(entries))
  }
}

/** Feeds on request only. */
export class WaitsToBeAsked extends ProviderWrapper {
  #waiting: Entry[] = []

  override feed(entries: readonly Entry[]): void {
    this.#waiting.push(...entries)
  }

  override async catchUp(): Promise<void> {
    if (this.#waiting.length > 0) super.feed(this.#waiting.splice(0))
  }
}

export class SpeaksAfterClose extends ProviderWrapper {
  override async close(): Promise<void> {
    // Goes on following.
  }
}

export class BeginsEmpty extends ProviderWrapper {
  override begin(log: RetainedLog): void {
    super.begin({ ...log, entries: [] })
  }
}

export class LiesAboutWhatIsTrimmed extends ProviderWrapper {
  override begin(log: RetainedLog): void {
    super.begin({ ...log, trimmedThrough: Math.min(log.trimmedThrough, log.head - 1000) })
  }
}

export class RetainsTooMuch extends ProviderWrapper {
  override open(...[name, listener, retention]: Parameters<ICometStateProvider['open']>): Promise<void> {
    return super.open(name, listener, { ...retention, messages: 1_000_000 })
  }
}

export class MixesChannels extends ProviderWrapper {
  override open(...[, listener, retention]: Parameters<ICometStateProvider['open']>): Promise<void> {
    return super.open('all', listener, retention)
  }
}

export class MendsContents extends ProviderWrapper {
  override append(operations: readonly Operation[]): Promise<Outcome[]> {
    const mended = (contents: string) => JSON.stringify(JSON.parse(contents))
    return super.append(changeSends(operations, (send) => ({ ...send, contents: mended(send.contents) })))
  }
}

export class AnswersInAnotherOrder extends ProviderWrapper {
  override async append(operations: readonly Operation[]): Promise<Outcome[]> {
    return (await super.append(operations)).reverse()
  }
}

export class StoresWhatItRefuses extends ProviderWrapper {
  override async append(operations: readonly Operation[]): Promise<Outcome[]> {
    const outcomes = await super.append(operations)
    const refused = operations.filter((_, index) => 'refused' in outcomes[index]!)
    await super.append(changeSends(refused, ({ receiver, ...send }) => send))
    return outcomes
  }
}

export class LosesTheKey extends ProviderWrapper {
  override append(operations: readonly Operation[]): Promise<Outcome[]> {
    return super.append(changeSends(operations, ({ key, ...send }) => send))
  }
}

/** Keys are known to the provider that was given them, and to no other. */
export class KeepsKeysToItself extends ProviderWrapper {
  readonly #prefix = String(performance.now())

  override append(operations: readonly Operation[]): Promise<Outcome[]> {
    return super.append(
      changeSends(operations, (send) =>
        send.key === undefined ? send : { ...send, key: this.#prefix + send.key },
      ),
    )
  }
}

export function changeSends(
  operations: readonly Operation[],
  change: (send: SendOperation) => SendOperation,
): Operation[] {
  return operations.map((operation) => (operation.kind === 'send' ? change(operation) : operation))
}
