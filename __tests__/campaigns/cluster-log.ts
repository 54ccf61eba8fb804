import type {
  Entry,
  ICometStateProvider,
  ProviderListener,
  RetainedLog,
} from '../../lib/comet-state-provider.ts'
import type { LoggedEntry } from './cluster-facts.ts'
import { type ClusterStore, createProvider, RETENTION } from './cluster-store.ts'
import { machineMs } from './machine-clock.ts'
import type { Problem } from './problems.ts'

/** What the channels of the nodes are called. */
const CHANNEL_NAME = 'comet'

/** Reads along in the store what all nodes write: who was there and a member when, and what was sent. */
export class ClusterLog implements ProviderListener {
  /** All of it, by id. */
  readonly told: LoggedEntry[] = []
  readonly problems: Problem[] = []
  /** The clients that are there. */
  readonly clients = new Set<string>()
  head = 0
  readonly #provider: ICometStateProvider
  #epoch: string | undefined

  private constructor(provider: ICometStateProvider) {
    this.#provider = provider
  }

  /** From the beginning on: before there is a node. */
  static async follow(store: ClusterStore): Promise<ClusterLog> {
    const log = new ClusterLog(await createProvider(store))
    await log.#provider.open(CHANNEL_NAME, log, RETENTION)
    return log
  }

  /** Resolves when all that is in the store by now was read. */
  catchUp(): Promise<void> {
    return this.#provider.catchUp()
  }

  close(): Promise<void> {
    return this.#provider.close()
  }

  reset({ epoch, entries, head }: RetainedLog): void {
    if (this.#epoch !== undefined) this.#complain(`the log began anew: ${this.#epoch}, ${epoch}`)
    this.#epoch = epoch
    this.entries(entries.filter(({ id }) => id > this.head))
    this.head = head
  }

  entries(entries: readonly Entry[]): void {
    const atMs = machineMs()
    for (const entry of entries) {
      if (entry.kind === 'initialise') this.clients.add(entry.publicToken)
      if (entry.kind === 'remove') this.clients.delete(entry.publicToken)
      if (entry.id <= this.head) this.#complain(`${entry.id} came behind ${this.head}`)
      this.told.push({ entry, atMs })
      this.head = entry.id
    }
  }

  unavailable(error: unknown): void {
    this.#complain(`the store is not to be reached: ${error}`)
  }

  available(): void {}

  #complain(text: string): void {
    this.problems.push({ kind: 'failed', text })
  }
}
