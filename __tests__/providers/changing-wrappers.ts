import type { ClientRecord, Operation, Outcome } from '../../lib/comet-state-provider.ts'
import { ProviderWrapper } from '../support/provider-wrapper.ts'

/** Passes on other operations than it is given. */
export abstract class ChangesOperations extends ProviderWrapper {
  protected abstract changed(operation: Operation): Operation

  override append(operations: readonly Operation[]): Promise<Outcome[]> {
    return super.append(operations.map((operation) => this.changed(operation)))
  }
}

/** Answers with other records than it is answered. */
export abstract class ChangesRecords extends ProviderWrapper {
  protected abstract changedRecord(record: ClientRecord): ClientRecord

  override async getClient(privateTokenHash: string): Promise<ClientRecord | 'stopped' | undefined> {
    const found = await super.getClient(privateTokenHash)
    return typeof found === 'object' ? this.changedRecord(found) : found
  }
}
