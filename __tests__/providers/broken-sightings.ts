import type { CometClient } from '../../lib/comet-client.ts'
import type { ClientRecord, LeaseOutcome, LeaseRenewal } from '../../lib/comet-state-provider.ts'
import { ProviderWrapper } from '../support/provider-wrapper.ts'

/** Providers that do not know when a client was last seen, each in one way. */

abstract class SightingWrapper extends ProviderWrapper {
  override async getClient(privateTokenHash: string): Promise<ClientRecord | 'stopped' | undefined> {
    const found = await super.getClient(privateTokenHash)
    return typeof found === 'object' ? { ...found, client: this.asSeen(found.client) } : found
  }

  protected abstract asSeen(client: CometClient): CometClient
}

export class SeesAClientOnlyOnce extends SightingWrapper {
  protected override asSeen(client: CometClient): CometClient {
    return { ...client, lastSeenAt: client.createdAt }
  }
}

export class SeesToTheMinute extends SightingWrapper {
  protected override asSeen(client: CometClient): CometClient {
    const { createdAt, lastSeenAt } = client
    return { ...client, lastSeenAt: Math.max(createdAt, lastSeenAt - (lastSeenAt % 60_000)) }
  }
}

/** Takes whoever asks for the client's page. */
export class SeesWhoeverRenews extends SightingWrapper {
  #at = 0

  override renewLeases(renewals: readonly LeaseRenewal[]): Promise<LeaseOutcome[]> {
    this.#at = Date.now()
    return super.renewLeases(renewals)
  }

  protected override asSeen(client: CometClient): CometClient {
    return { ...client, lastSeenAt: Math.max(client.lastSeenAt, this.#at) }
  }
}
