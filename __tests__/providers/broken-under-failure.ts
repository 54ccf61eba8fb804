import type { Entry, ICometStateProvider, Operation, Outcome } from '../../lib/comet-state-provider.ts'
import { ProviderWrapper } from '../support/provider-wrapper.ts'
import { DurableProvider } from './durable-store.ts'

/** Providers that do wrong when they are closed in the middle of something, or when their store fails. */

export class GoesOnOpeningAfterClose extends ProviderWrapper {
  override async open(...args: Parameters<ICometStateProvider['open']>): Promise<void> {
    await new Promise(setImmediate)
    await super.open(...args)
  }
}

export class LeavesCallsHangingAtClose extends DurableProvider {
  #closings = 0

  override close(): Promise<void> {
    this.#closings += 1
    return super.close()
  }

  protected override async ask<T>(work: () => Promise<T>): Promise<T> {
    const closings = this.#closings
    const answer = await super.ask(work)
    return closings === this.#closings ? answer : new Promise<T>(() => undefined)
  }
}

export class HangsWhileItIsCutOff extends DurableProvider {
  protected override ask<T>(work: () => Promise<T>): Promise<T> {
    return this.link.isCut ? new Promise<T>(() => undefined) : super.ask(work)
  }
}

export class SaysNothingWhenItIsCutOff extends DurableProvider {
  override cutOff(): void {
    // Waits until it is in touch again.
  }
}

export class LosesWhatCameWhileItWasCutOff extends DurableProvider {
  protected override feed(entries: readonly Entry[]): void {
    if (!this.link.isCut) super.feed(entries)
  }
}

/** Keeps what it could not store, and stores it with the next. */
export class StoresLaterWhatItRejected extends DurableProvider {
  #rejected: readonly Operation[] = []

  override async append(operations: readonly Operation[]): Promise<Outcome[]> {
    const late = this.#rejected
    this.#rejected = []
    try {
      return (await super.append([...late, ...operations])).slice(late.length)
    } catch (error) {
      this.#rejected = [...late, ...operations]
      throw error
    }
  }
}

/** Asks a second time when no answer came, as some clients of databases do. */
export class RepeatsWhatWasNotAnswered extends DurableProvider {
  override async append(operations: readonly Operation[]): Promise<Outcome[]> {
    try {
      return await super.append(operations)
    } catch (error) {
      if (this.link.trouble === 'replies are lost') await this.inner.append(operations)
      throw error
    }
  }
}

/** Stores keys and messages one after the other. */
export class StoresAKeyBeforeItsMessage extends DurableProvider {
  override async append(operations: readonly Operation[]): Promise<Outcome[]> {
    const [first] = operations
    if (operations.length !== 1 || first?.kind !== 'send' || first.key === undefined) {
      return super.append(operations)
    }
    const { key, ...send } = first
    const known = this.link.keys.get(key)
    if (known) return [known]
    this.link.keys.set(key, { id: this.head + 1, epoch: '' })
    const [outcome] = await super.append([send])
    this.link.keys.set(key, outcome!)
    return [outcome!]
  }
}

/** An attempt to open that failed leaves it half closed. */
export class OpensHalfAfterAFailure extends DurableProvider {
  #hasFailed = false

  override async open(...args: Parameters<ICometStateProvider['open']>): Promise<void> {
    try {
      await super.open(...args)
    } catch (error) {
      this.#hasFailed = true
      throw error
    }
  }

  protected override feed(entries: readonly Entry[]): void {
    if (!this.#hasFailed) super.feed(entries)
  }
}

/** Forgets at close whom it told, but not that it follows. */
export class FollowsTwiceWhenOpenedAgain extends ProviderWrapper {
  #isClosed = false

  override open(...args: Parameters<ICometStateProvider['open']>): Promise<void> {
    this.#isClosed = false
    return super.open(...args)
  }

  override async close(): Promise<void> {
    this.#isClosed = true
  }

  protected override feed(entries: readonly Entry[]): void {
    if (!this.#isClosed) super.feed(entries)
  }
}
