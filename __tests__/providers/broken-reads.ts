import { setTimeout as milliseconds } from 'node:timers/promises'
import type { ClientRecord, Operation, Outcome, RemovedClient } from '../../lib/comet-state-provider.ts'
import { ProviderWrapper } from '../support/provider-wrapper.ts'

/** How long it takes to end a client: longer than to read one. */
const END_MS = 3

/** Providers that read a record first, and a while later how far the log is. */
abstract class LatePositionReader extends ProviderWrapper {
  protected abstract wait(): Promise<void>

  override async append(operations: readonly Operation[]): Promise<Outcome[]> {
    if (operations.some(({ kind }) => kind === 'remove' || kind === 'stop')) await milliseconds(END_MS)
    return super.append(operations)
  }

  override async removeExpired(): Promise<RemovedClient[]> {
    await milliseconds(END_MS)
    return super.removeExpired()
  }

  override async getClient(privateTokenHash: string): Promise<ClientRecord | 'stopped' | undefined> {
    const found = await super.getClient(privateTokenHash)
    await this.wait()
    return typeof found === 'object' ? { ...found, asOf: this.head } : found
  }
}

export class ReadsThePositionATurnLater extends LatePositionReader {
  protected override wait = () => new Promise<void>((resolve) => setImmediate(resolve))
}

export class ReadsThePositionAMillisecondLater extends LatePositionReader {
  protected override wait = () => milliseconds(1)
}
