import type { ICometStateProvider } from '../../lib/comet-state-provider.ts'

/**
 * One store, fresh and empty, as a test of the contract gets it. An object literal can have these fields only; an
 * instance of a class more, but nothing that bears the name of an option.
 */
export interface ProviderStorage {
  /** A new provider over this store, not opened yet: another node. The suite opens it, and closes it. */
  createProvider(): ICometStateProvider | Promise<ICometStateProvider>

  /**
   * Moves the store's clock, which must stand still otherwise. With it nothing about time is waited for. Absent: the
   * suite really waits, 2 s for most rules about time and 16 s for an unswept gap; its model check moves no clock.
   */
  advance?(seconds: number): void | Promise<void>

  /** What the suite can make go wrong. Absent: nothing does, and the rules about it are not tested. */
  readonly faults?: ProviderFaults

  /** Called once, after all providers were closed: deletes the store. */
  dispose(): void | Promise<void>
}

export interface ProviderFaults {
  /**
   * The process that uses this provider dies: no call of it is answered any more, nothing is closed, and its listener
   * is not called again. Resolves when that is so, and the store has dealt with what it had been sent.
   */
  crash?(provider: ICometStateProvider): void | Promise<void>

  /** The ways in which the store can fail for a time: one at a time is tried. Default: none. */
  readonly interruptions?: readonly Interruption[]
}

/** A way in which the store fails for a time, for all its providers: it refuses, or it does as asked and cannot say so. */
export interface Interruption {
  /** What happens, for who reads a failure: `the disk is full`. */
  readonly name: string

  /** Whether providers cannot follow the store while it lasts: then they have to say `unavailable`. */
  readonly cutsOff: boolean

  begin(): void | Promise<void>

  /** Providers find out by themselves, within the time that calls may take to settle. */
  end(): void | Promise<void>
}
