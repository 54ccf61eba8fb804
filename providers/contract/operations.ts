import type { NewCometClient } from '../../lib/comet-client.ts'
import type {
  Claim,
  ClaimReply,
  InitialiseOperation,
  JoinOperation,
  LeaseRenewal,
  LeaveOperation,
  RemoveOperation,
  SendOperation,
  StopOperation,
  UpdateOperation,
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
  return {
    kind: 'initialise',
    client: clientNamed(publicToken),
    privateTokenHash: hashOf(publicToken),
    leaseSeconds: LONG_SECONDS,
    maxClients: 1000,
    maxClientsPerUser: 1000,
    ...more,
  }
}

/** A new client that is more than its public token: the member of groups, or of a user or a session. */
export function initialiseAs(
  publicToken: string,
  client: Partial<NewCometClient>,
  more: Partial<InitialiseOperation> = {},
): InitialiseOperation {
  return initialise(publicToken, { client: { ...clientNamed(publicToken), ...client }, ...more })
}

function clientNamed(publicToken: string): NewCometClient {
  return {
    publicToken,
    displayName: publicToken.toUpperCase(),
    groups: [],
    data: null,
    connectionTimeoutSeconds: 25,
    connectionIdleSeconds: 90,
  }
}

export function join(publicToken: string, group: string, more: Partial<JoinOperation> = {}): JoinOperation {
  return { kind: 'join', publicToken, group, maxGroups: 1000, ...more }
}

export function leave(
  publicToken: string,
  group: string,
  more: Partial<LeaveOperation> = {},
): LeaveOperation {
  return { kind: 'leave', publicToken, group, ...more }
}

export function update(publicToken: string, more: Partial<UpdateOperation>): UpdateOperation {
  return { kind: 'update', publicToken, ...more }
}

export function remove(publicToken: string, generation: number): RemoveOperation {
  return { kind: 'remove', publicToken, generation }
}

/** Stops the clients with these public tokens. */
export function stop(...publicTokens: string[]): StopOperation {
  return stopTopics(publicTokens.map(clientTopic))
}

export function stopTopics(topics: readonly string[], except: readonly string[] = []): StopOperation {
  return { kind: 'stop', topics, except }
}

/** A claim for a long time by a run that may take long. */
export function claim(
  client: { readonly publicToken: string; readonly generation: number },
  key: string,
  run: string,
  more: Partial<Claim> = {},
): Claim {
  const { publicToken, generation } = client
  return { publicToken, generation, key, run, runSeconds: LONG_SECONDS, seconds: LONG_SECONDS, ...more }
}

/** What the run of this claim came to. */
export function reply({ publicToken, generation, key, run }: Claim, text: string): ClaimReply {
  return { publicToken, generation, key, run, reply: text }
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
