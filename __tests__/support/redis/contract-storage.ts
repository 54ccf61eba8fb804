import type { ICometStateProvider } from 'koa-comet'
import type { Interruption, ProviderFaults, ProviderStorage } from 'koa-comet/providers/contract'
import type { RedisGate } from './redis-gate.ts'
import type { RedisStore } from './redis-store.ts'

/** A store as the contract's suite wants it: each provider has a gate of its own, by which it can crash. */
export class ContractStorage implements ProviderStorage {
  readonly faults: ProviderFaults
  readonly #store: RedisStore
  readonly #timeoutSeconds: number | undefined
  readonly #gates = new Map<ICometStateProvider, RedisGate>()

  /** @param timeoutSeconds of its providers, for those rules that make the store fail. Default: it does not fail */
  constructor(store: RedisStore, timeoutSeconds?: number) {
    this.#store = store
    this.#timeoutSeconds = timeoutSeconds
    this.faults = {
      crash: (provider) => this.#crash(provider),
      ...(timeoutSeconds !== undefined && { interruptions: this.#interruptions() }),
    }
  }

  async createProvider(): Promise<ICometStateProvider> {
    const gate = await this.#store.openGate()
    const { provider } = this.#store.node({ gate, timeoutSeconds: this.#timeoutSeconds })
    this.#gates.set(provider, gate)
    return provider
  }

  advance(seconds: number): void {
    this.#store.nowMs += seconds * 1000
  }

  async dispose(): Promise<void> {
    await this.#store.dispose()
  }

  /** Its connections take nothing from it any more when it is closed: so nothing of that reaches the server. */
  async #crash(provider: ICometStateProvider): Promise<void> {
    const crashed = this.#gates.get(provider)!.crash()
    this.#gates.delete(provider)
    await Promise.all([crashed, provider.close()])
  }

  #interruptions(): Interruption[] {
    return [
      {
        name: 'the server is frozen',
        cutsOff: true,
        begin: () => this.#store.server.freeze(),
        end: () => this.#store.server.thaw(),
      },
      this.#interruption('connections are refused', (gate) => gate.cut()),
      this.#interruption('requests are lost', (gate) => gate.dropRequests()),
      this.#interruption('replies are lost', (gate) => gate.dropReplies()),
    ]
  }

  #interruption(name: string, begin: (gate: RedisGate) => void): Interruption {
    return {
      name,
      cutsOff: true,
      begin: () => {
        for (const gate of this.#gates.values()) begin(gate)
      },
      end: () => {
        for (const gate of this.#gates.values()) gate.mend()
      },
    }
  }
}
