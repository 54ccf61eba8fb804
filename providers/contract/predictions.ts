import { publicPartOf } from '../../lib/comet-client.ts'
import type { Entry, Operation, RefusalCode } from '../../lib/comet-state-provider.ts'
import { groupsOf, isMember } from '../../lib/memberships.ts'
import type { Model } from './model.ts'
import type { ModelClient } from './model-client.ts'

/** What the model says of an operation. */
export type Prediction =
  | { readonly refused: RefusalCode }
  /** It repeats what has an id. */
  | { readonly repeats: number }
  /** It is so already, since this position. */
  | { readonly unchangedSince: number }
  /** It adds these entries, whose ids rise. */
  | { readonly adds: readonly NewEntry[] }

/** The id is the store's to choose. */
export type NewEntry = Entry extends infer E ? (E extends Entry ? Omit<E, 'id'> : never) : never

/** @param nextId of the first entry that it adds, if it adds any */
export function predict(model: Model, operation: Operation, nextId: number): Prediction {
  switch (operation.kind) {
    case 'send': {
      const { key, receiver, topics, except, name, contents } = operation
      const id = key === undefined ? undefined : model.idOfKey(key)
      if (id !== undefined) return { repeats: id }
      if (receiver !== undefined && !model.bearer(receiver)) return UNKNOWN
      return adds({ kind: 'message', topics, except, name, contents })
    }
    case 'initialise': {
      const { client, privateTokenHash, maxClients, maxClientsPerUser } = operation
      const { publicToken, userId, groups } = client
      if (model.bearer(publicToken) || model.clientOf(privateTokenHash)) {
        return { refused: 'COMET_CLIENT_ALREADY_EXISTS' }
      }
      if (model.count() >= maxClients) return { refused: 'COMET_TOO_MANY_CLIENTS' }
      if (userId !== undefined && model.count(userId) >= maxClientsPerUser) {
        return { refused: 'COMET_USER_HAS_TOO_MANY_CLIENTS' }
      }
      const about = { generation: nextId, client: publicPartOf(client) }
      const joins = groups.map((group): NewEntry => ({ kind: 'join', ...about, group }))
      return adds({ kind: 'initialise', publicToken }, ...joins)
    }
    case 'stop':
      return adds({ kind: 'stop', topics: operation.topics, except: operation.except })
    default:
      return predictOfClient(model.bearer(operation.publicToken, operation.generation), operation)
  }
}

/** A leave entry for each of its groups. */
export function leavesOf(client: ModelClient): NewEntry[] {
  const about = { generation: client.generation, client: publicPartOf(client) }
  return groupsOf(client).map((group) => ({ kind: 'leave', ...about, group }))
}

/** What the removal of a client adds. */
export function removalOf(client: ModelClient): NewEntry[] {
  const { publicToken, generation } = client
  return [...leavesOf(client), { kind: 'remove', publicToken, generation }]
}

const UNKNOWN: Prediction = { refused: 'COMET_CLIENT_DOES_NOT_EXIST' }

type OperationOfClient = Operation & { readonly kind: 'update' | 'join' | 'leave' | 'remove' }

function predictOfClient(client: ModelClient | undefined, operation: OperationOfClient): Prediction {
  if (client === undefined) return UNKNOWN
  const { generation } = client
  const about = { generation, client: publicPartOf(client) }
  switch (operation.kind) {
    case 'update': {
      const { displayName = client.displayName, data = client.data } = operation
      const changed = publicPartOf({ ...client, displayName, data })
      return adds({ kind: 'update', generation, client: changed, groups: groupsOf(client) })
    }
    case 'join': {
      const { group, maxGroups } = operation
      const membership = client.memberships.find((each) => each.group === group && each.left === undefined)
      if (membership) return { unchangedSince: membership.joined }
      if (groupsOf(client).length >= maxGroups) return { refused: 'COMET_CLIENT_HAS_TOO_MANY_GROUPS' }
      return adds({ kind: 'join', ...about, group })
    }
    case 'leave': {
      const { group } = operation
      if (isMember(client, group)) return adds({ kind: 'leave', ...about, group })
      const ended = client.memberships.filter((each) => each.group === group).map(({ left }) => left!)
      return { unchangedSince: Math.max(generation, ...ended) }
    }
    case 'remove':
      return adds(...removalOf(client))
  }
}

function adds(...entries: NewEntry[]): Prediction {
  return { adds: entries }
}
