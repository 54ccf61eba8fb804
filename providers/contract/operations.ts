import type {
  InitialiseOperation,
  LeaseRenewal,
  RemoveOperation,
  SendOperation,
  StopOperation,
} from '../../lib/comet-state-provider.ts'
import { clientTopic, EVERYBODY } from '../../lib/topics.ts'

/** The operations and renewals of the suite, with all that a rule does not speak of filled in. */

/** Longer than any rule takes. */
export const LONG_SECONDS = 3600

/** Stands for a SHA-256 as base64url. */
export function hashOf(token: string): string {
  return token.padEnd(43, '_')
}

export function send(name = 'Chat', more: Partial<SendOperation> = {}): SendOperation {
  return { kind: 'send', topics: [EVERYBODY], except: [], name, contents: '"hello"', ...more }
}

/** A new client. Its private token's hash is `hashOf(publicToken)` unless given. */
export function initialise(
  publicToken: string,
  more: Partial<InitialiseOperation> = {},
): InitialiseOperation {
  const client = {
    publicToken,
    displayName: publicToken.toUpperCase(),
    groups: [],
    data: null,
    connectionTimeoutSeconds: 25,
    connectionIdleSeconds: 90,
  }
  const privateTokenHash = hashOf(publicToken)
  return {
    kind: 'initialise',
    client,
    privateTokenHash,
    leaseSeconds: LONG_SECONDS,
    maxClients: 1000,
    ...more,
  }
}

export function remove(publicToken: string, generation: number): RemoveOperation {
  return { kind: 'remove', publicToken, generation }
}

/** Stops the clients with these public tokens. */
export function stop(...publicTokens: string[]): StopOperation {
  return { kind: 'stop', topics: publicTokens.map(clientTopic) }
}

/**
 * What is asked for a client: by default a long lease for `page-1`, taken from nobody, as one of its requests came; or
 * its goodbye.
 */
export function renewal(
  client: { readonly publicToken: string; readonly generation: number },
  more: Partial<LeaseRenewal> = {},
): LeaseRenewal {
  const { publicToken, generation } = client
  const { goodbye = false, returns = !goodbye } = more
  const asked = { holder: 'page-1', take: false, seconds: LONG_SECONDS }
  return { publicToken, generation, ...asked, ...more, goodbye, returns }
}
