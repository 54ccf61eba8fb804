import type {
  ClientRecord,
  Entry,
  ICometStateProvider,
  LeaseOutcome,
  LeaseRenewal,
  Operation,
  Outcome,
  ProviderSupports,
  RemovedClient,
  RetainedLog,
} from '../../lib/comet-state-provider.ts'
import { DurableProvider } from './durable-store.ts'

/** Providers of a durable store that do wrong when all is closed and opened again, each in one way. */

export class LosesTheLogAtARestart extends DurableProvider {
  protected override begin(log: RetainedLog): void {
    const isFirst = this.link.opened.size === 1
    super.begin(isFirst ? { ...log, entries: [], trimmedThrough: log.head } : log)
  }
}

/** Names each life of its own, not of the log. */
export class BeginsANewLifeAtARestart extends DurableProvider {
  protected override begin(log: RetainedLog): void {
    super.begin({ ...log, epoch: `${log.epoch}-${this.link.lives}` })
  }

  override async append(operations: readonly Operation[]): Promise<Outcome[]> {
    const outcomes = await super.append(operations)
    return outcomes.map((outcome) => {
      return 'id' in outcome ? { ...outcome, epoch: `${outcome.epoch}-${this.link.lives}` } : outcome
    })
  }
}

/** Is not durable, and says so; but the ids of its new life are not above all of the one before. */
export class BeginsAnewAmongOldIds extends DurableProvider {
  override readonly supports: ProviderSupports = { processes: 'many', durable: false, followDelayMs: 0 }

  protected override begin({ epoch, head }: RetainedLog): void {
    const start = this.link.lives > 1 ? head - 1 : head
    super.begin({ epoch: `${epoch}-${this.link.lives}`, entries: [], head: start, trimmedThrough: start })
  }
}

/** Goes on after the highest id that is retained, like an autoincrement without memory. */
export class ReusesTheIdsOfTrimmedEntries extends DurableProvider {
  #shift = 0

  protected override begin(log: RetainedLog): void {
    const isAnew = this.link.lives > 1 && log.entries.length === 0
    this.#shift = isAnew ? 10 : 0
    const head = log.head - this.#shift
    super.begin({ ...log, head, trimmedThrough: Math.min(log.trimmedThrough, head) })
  }

  protected override feed(entries: readonly Entry[]): void {
    super.feed(entries.map((entry) => ({ ...entry, id: entry.id - this.#shift })))
  }

  override async append(operations: readonly Operation[]): Promise<Outcome[]> {
    const outcomes = await super.append(operations)
    return outcomes.map((outcome) => {
      return 'id' in outcome ? { ...outcome, id: outcome.id - this.#shift } : outcome
    })
  }
}

export class LosesKeysAtARestart extends DurableProvider {
  override append(operations: readonly Operation[]): Promise<Outcome[]> {
    return super.append(
      operations.map((operation) => {
        if (operation.kind !== 'send' || operation.key === undefined) return operation
        return { ...operation, key: `${this.link.lives} ${operation.key}` }
      }),
    )
  }
}

export class ForgetsAtARestartWhoWasStopped extends DurableProvider {
  override async getClient(privateTokenHash: string): Promise<ClientRecord | 'stopped' | undefined> {
    const found = await super.getClient(privateTokenHash)
    return found === 'stopped' && this.link.lives > 1 ? undefined : found
  }
}

/** After a restart nobody has a lease, and whoever comes first takes it. */
export class ForgetsHoldersAtARestart extends DurableProvider {
  override renewLeases(renewals: readonly LeaseRenewal[]): Promise<LeaseOutcome[]> {
    const takes = this.link.lives > 1
    return super.renewLeases(renewals.map((renewal) => ({ ...renewal, take: takes || renewal.take })))
  }
}

export class LosesClientsAtARestart extends DurableProvider {
  #oldThrough = 0

  protected override begin(log: RetainedLog): void {
    if (this.link.lives > 1) this.#oldThrough = log.head
    super.begin(log)
  }

  override async getClient(privateTokenHash: string): Promise<ClientRecord | 'stopped' | undefined> {
    const found = await super.getClient(privateTokenHash)
    return typeof found === 'object' && found.client.generation <= this.#oldThrough ? undefined : found
  }
}

/** Gives everybody time to come back, whether or not anybody needs it. */
export class ProlongsLeasesAtARestart extends DurableProvider {
  override async open(...args: Parameters<ICometStateProvider['open']>): Promise<void> {
    await super.open(...args)
    if (this.link.lives === 1) return
    for await (const { publicToken, generation } of this.inner.getClients()) {
      const asked = { holder: 'restart', take: true, returns: true, seconds: 60, goodbye: false }
      await this.inner.renewLeases([{ publicToken, generation, ...asked }])
    }
  }
}

/** Made for a store that sweeps by itself as long as nobody has opened it. */
export class SweepsWhileAllIsClosed extends DurableProvider {
  override async removeExpired(): Promise<RemovedClient[]> {
    return [...this.link.swept.splice(0), ...(await super.removeExpired())]
  }
}
