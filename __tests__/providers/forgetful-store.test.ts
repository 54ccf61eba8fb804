import { describe, test } from '@jest/globals'
import { describeCometStateProvider, type ProviderStorage } from 'koa-comet/providers/contract'
import { InProcCometStateProvider, InProcStorage } from 'koa-comet/providers/in-proc'
import type { ICometStateProvider } from '../../lib/comet-state-provider.ts'
import { ProviderWrapper } from '../support/provider-wrapper.ts'

/** The providers that are open, and when the last one was closed. */
class Process {
  readonly opened = new Set<ICometStateProvider>()
  closedAt = 0
}

class CountedProvider extends ProviderWrapper {
  readonly #process: Process

  constructor(storage: InProcStorage, process: Process) {
    super(new InProcCometStateProvider({ storage }))
    this.#process = process
  }

  override open(...args: Parameters<ICometStateProvider['open']>): Promise<void> {
    this.#process.opened.add(this)
    return super.open(...args)
  }

  override close(): Promise<void> {
    this.#process.opened.delete(this)
    this.#process.closedAt = Date.now()
    return super.close()
  }
}

/** A store that is forgotten when the last of its providers is closed, as with their process. */
function createForgetfulStorage(): ProviderStorage {
  let nowMs = 0
  let storage = new InProcStorage(() => nowMs)
  const process = new Process()
  return {
    async createProvider() {
      if (process.opened.size === 0) {
        // Ids begin at the time: no process starts again within the millisecond in which it ended.
        while (Date.now() <= process.closedAt + 1) await new Promise(setImmediate)
        storage = new InProcStorage(() => nowMs)
      }
      return new CountedProvider(storage, process)
    },
    advance(seconds) {
      nowMs += seconds * 1000
    },
    faults: { crash: (provider) => provider.close() },
    dispose: () => undefined,
  }
}

describeCometStateProvider('A provider that forgets all when it is closed', {
  create: createForgetfulStorage,
  without: ['interruptions'],
  describe,
  test,
})
