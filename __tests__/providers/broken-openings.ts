import { setTimeout as milliseconds } from 'node:timers/promises'
import type {
  Entry,
  ICometStateProvider,
  Operation,
  Outcome,
  RetainedLog,
} from '../../lib/comet-state-provider.ts'
import { ProviderWrapper } from '../support/provider-wrapper.ts'

/** Providers that do not go on right where their window ends, each in one way. */

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Tells the window, and listens only a while later. */
abstract class LateListener extends ProviderWrapper {
  #isListening = false

  protected abstract wait(): Promise<void>

  override async open(...args: Parameters<ICometStateProvider['open']>): Promise<void> {
    this.#isListening = false
    await super.open(...args)
    await this.wait()
    this.#isListening = true
  }

  protected override feed(entries: readonly Entry[]): void {
    if (this.#isListening) super.feed(entries)
  }
}

export class ListensATurnAfterReset extends LateListener {
  protected override wait = turn
}

export class ListensAMillisecondAfterReset extends LateListener {
  protected override wait = () => milliseconds(1)
}

export class ListensSixMillisecondsAfterReset extends LateListener {
  protected override wait = () => milliseconds(6)
}

/** Its openings are over before an append has come to the store. */
export class ListensLateAmidSlowAppends extends ListensAMillisecondAfterReset {
  override async append(operations: readonly Operation[]): Promise<Outcome[]> {
    await milliseconds(4)
    return super.append(operations)
  }
}

/** Listens, takes a turn to read the window, and then tells what it has. */
abstract class SlowOpener extends ProviderWrapper {
  #window: RetainedLog | undefined
  #meanwhile: Entry[] = []
  #closings = 0

  protected abstract tell(window: RetainedLog, meanwhile: readonly Entry[]): void

  override async open(...args: Parameters<ICometStateProvider['open']>): Promise<void> {
    const closings = this.#closings
    await super.open(...args)
    await turn()
    if (closings !== this.#closings) throw new Error('It was closed meanwhile.')
    this.tell(this.#window!, this.#meanwhile)
    this.#window = undefined
    this.#meanwhile = []
  }

  override close(): Promise<void> {
    this.#closings += 1
    return super.close()
  }

  protected override begin(log: RetainedLog): void {
    this.#window = log
  }

  protected override feed(entries: readonly Entry[]): void {
    if (this.#window) this.#meanwhile.push(...entries)
    else super.feed(entries)
  }
}

export class FeedsAgainWhatTheWindowHas extends SlowOpener {
  protected override tell(window: RetainedLog, meanwhile: readonly Entry[]): void {
    this.listener?.reset({ ...window, entries: [...window.entries, ...meanwhile], head: this.head })
    if (meanwhile.length > 0) this.listener?.entries(meanwhile)
  }
}

export class ReadsTheHeadAfterTheWindow extends SlowOpener {
  protected override tell(window: RetainedLog): void {
    this.listener?.reset({ ...window, head: this.head })
  }
}
