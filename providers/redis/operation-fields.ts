import type { Operation, Outcome, RefusalCode } from '../../lib/comet-state-provider.ts'
import { retainedBytes } from '../../lib/retained-window.ts'
import { clientOf, fixedPartOf, type ToldClient } from './client-fields.ts'
import { messageKind } from './entry-fields.ts'

/** What the script says of one operation: the id of a message; or how it went, with the id and what changed. */
export type ToldOutcome =
  | number
  | readonly [refused: RefusalCode]
  | readonly [
      kind: 'unchanged' | 'initialised' | 'updated' | 'joined' | 'left' | 'removed',
      id: number,
      ToldClient,
    ]
  | readonly [kind: 'stopped', id: number, clients: readonly ToldClient[], more: 0 | 1]

/** The two arguments that the script takes for an operation: JSON, and the contents, which nobody has to parse. */
export function argumentsOf(operation: Operation): readonly [operation: string, contents: string] {
  if (operation.kind === 'send') return [JSON.stringify(sendFields(operation)), operation.contents]
  return [JSON.stringify(fieldsOf(operation)), '']
}

function sendFields(operation: Operation & { readonly kind: 'send' }): object {
  const { topics, except, name, contents, receiver, key } = operation
  const bytes = retainedBytes({ kind: 'message', id: 0, topics, except, name, contents })
  const excepted = except.length === 0 ? undefined : JSON.stringify(except)
  return { kind: 'send', receiver, key, bytes, entry: messageKind(topics, name), except: excepted }
}

function fieldsOf(operation: Exclude<Operation, { readonly kind: 'send' }>): object {
  switch (operation.kind) {
    case 'initialise': {
      const {
        kind,
        client,
        privateTokenHash: hash,
        from,
        leaseSeconds,
        maxClients,
        maxClientsPerUser,
      } = operation
      const { publicToken: token, displayName: name, userId: user, sessionId: session, groups } = client
      const data = JSON.stringify(client.data)
      const fixed = fixedPartOf(client)
      const limits = { maxClients, maxClientsPerUser }
      return { kind, token, hash, fixed, name, data, user, session, groups, from, leaseSeconds, ...limits }
    }
    case 'update': {
      const { kind, publicToken: token, generation, displayName: name } = operation
      const data = operation.data === undefined ? undefined : JSON.stringify(operation.data)
      return { kind, token, generation, name, data }
    }
    case 'join':
    case 'leave':
    case 'remove': {
      const { publicToken: token, ...rest } = operation
      return { token, ...rest }
    }
    case 'stop': {
      const { kind, topics, except } = operation
      return { kind, topics: JSON.stringify(topics), except: JSON.stringify(except) }
    }
  }
}

export function outcomeOf(told: ToldOutcome, epoch: string): Outcome {
  if (typeof told === 'number') return { epoch, id: told }
  if (told.length === 1) return { refused: told[0] }
  if (told[0] === 'stopped') return { epoch, id: told[1], stopped: told[2].map(clientOf) }
  const [kind, id, client] = told
  return { epoch, id, ...(kind === 'unchanged' && { unchanged: true }), client: clientOf(client) }
}
