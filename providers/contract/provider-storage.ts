import type { ICometStateProvider } from '../../lib/comet-state-provider.ts'

/** One store, fresh and empty, as a test of the contract gets it. */
export interface ProviderStorage {
  /** A new provider over this store, not opened yet: another node. The suite opens it, and closes it. */
  createProvider(): ICometStateProvider | Promise<ICometStateProvider>

  /**
   * Moves the store's clock, which must stand still otherwise. With it nothing about time is waited for. Absent: the
   * suite really waits, 2 s for most rules about time and 16 s for the unswept gap; its model check moves no clock.
   */
  advance?(seconds: number): void | Promise<void>

  /** Called once, after all providers were closed: deletes the store. */
  dispose(): void | Promise<void>
}
