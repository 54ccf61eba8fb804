import type { Done, ProviderSupports } from '../../lib/comet-state-provider.ts'
import { ProviderWrapper } from '../support/provider-wrapper.ts'

/** Providers that do not say what they support, each in one way. */

/** What a provider in JavaScript may say. */
function untyped(supports: unknown): ProviderSupports {
  return supports as ProviderSupports
}

export class SaysNothingOfWhatItSupports extends ProviderWrapper {
  override readonly supports = untyped(undefined)
}

export class SaysItInAWord extends ProviderWrapper {
  override readonly supports = untyped('one')
}

export class SaysItInWordsOfItsOwn extends ProviderWrapper {
  override readonly supports = untyped({ processes: 'one', isDurable: false, followDelayMs: 0 })
}

export class SaysItAsText extends ProviderWrapper {
  override readonly supports = untyped({ processes: 'one', durable: 'no', followDelayMs: 0 })
}

export class PromisesTransactions extends ProviderWrapper {
  override readonly supports: ProviderSupports = { ...this.inner.supports, transactions: true }
}

export class KeepsItsTransactionsToItself extends ProviderWrapper {
  async sendWithin(): Promise<Done> {
    return { id: this.head, epoch: '' }
  }
}
