import type { ClientRecord, LeaseOutcome, LeaseRenewal, RemovedClient } from 'koa-comet'
import { ProviderWrapper } from './provider-wrapper.ts'

/** Counts what its manager asks for. */
export class CountedProvider extends ProviderWrapper {
  /** How many leases each call renewed. */
  readonly renewals: number[] = []
  loads = 0
  sweeps = 0

  override renewLeases(renewals: readonly LeaseRenewal[]): Promise<LeaseOutcome[]> {
    this.renewals.push(renewals.length)
    return super.renewLeases(renewals)
  }

  override getClient(privateTokenHash: string): Promise<ClientRecord | 'stopped' | undefined> {
    this.loads += 1
    return super.getClient(privateTokenHash)
  }

  override removeExpired(): Promise<RemovedClient[]> {
    this.sweeps += 1
    return super.removeExpired()
  }
}
