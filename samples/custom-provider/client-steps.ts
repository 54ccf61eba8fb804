import {
  type CometClient,
  groupsOf,
  initialMemberships,
  type Operation,
  type Outcome,
  publicPartOf,
  withJoined,
  withLeft,
} from 'koa-comet'
import type { Apply, ChannelState, Row } from './channel-state.ts'

/** An operation of this kind. */
export type Of<K extends Operation['kind']> = Extract<Operation, { readonly kind: K }>

export const UNKNOWN = { refused: 'COMET_CLIENT_DOES_NOT_EXIST' } as const

export function initialise(
  operation: Of<'initialise'>,
  state: ChannelState,
  apply: Apply,
  at: number,
): Outcome {
  const {
    client: given,
    privateTokenHash: hash,
    from,
    leaseSeconds,
    maxClients,
    maxClientsPerUser,
  } = operation
  const { publicToken, userId, groups } = given
  const { epoch } = state
  const isTaken = state.rows.has(publicToken) || state.publicTokens.has(hash) || state.stopped.has(hash)
  if (isTaken) return { refused: 'COMET_CLIENT_ALREADY_EXISTS' }
  if (state.rows.size >= maxClients) return { refused: 'COMET_TOO_MANY_CLIENTS' }
  const ofUser = userId === undefined ? [] : state.audience([`u:${userId}`])
  if (userId !== undefined && ofUser.length >= maxClientsPerUser)
    return { refused: 'COMET_USER_HAS_TOO_MANY_CLIENTS' }
  const id = state.head + 1
  const start = from ?? { epoch, messageId: id }
  const client = { ...given, createdAt: at, lastSeenAt: at, generation: id, start }
  const record = { client, ...initialMemberships(groups, id) }
  const row = { record, hash, expiresAt: at + leaseSeconds * 1000, goodbye: false }
  apply({ at, entry: { kind: 'initialise', id, publicToken }, row })
  addMemberships('join', client, state, apply, at)
  return { epoch, id, client }
}

export function update(operation: Of<'update'>, state: ChannelState, apply: Apply, at: number): Outcome {
  const row = state.find(operation)
  if (!row) return UNKNOWN
  const { displayName = row.record.client.displayName, data = row.record.client.data } = operation
  const client = { ...row.record.client, displayName, data }
  const { generation, groups } = client
  const id = state.head + 1
  apply({
    at,
    entry: { kind: 'update', id, generation, client: publicPartOf(client), groups },
    row: { ...row, record: { ...row.record, client } },
  })
  return { epoch: state.epoch, id, client }
}

export function joinOrLeave(
  operation: Of<'join'> | Of<'leave'>,
  state: ChannelState,
  apply: Apply,
  at: number,
): Outcome {
  const row = state.find(operation)
  if (!row) return UNKNOWN
  const { kind, group } = operation
  const { client } = row.record
  const { epoch, head, trimmedThrough } = state
  if (client.groups.includes(group) === (kind === 'join')) return { epoch, id: head, unchanged: true, client }
  if (kind === 'join' && client.groups.length >= operation.maxGroups)
    return { refused: 'COMET_CLIENT_HAS_TOO_MANY_GROUPS' }
  const id = head + 1
  const memberships =
    kind === 'join' ? withJoined(row.record, group, id) : withLeft(row.record, group, id, trimmedThrough)
  const record = {
    ...row.record,
    ...memberships,
    client: { ...client, groups: groupsOf(memberships) },
  }
  const { generation } = client
  apply({
    at,
    entry: { kind, id, generation, client: publicPartOf(client), group },
    row: { ...row, record },
  })
  return { epoch, id, client: record.client }
}

export function remove(
  operation: Pick<Of<'remove'>, 'publicToken' | 'generation'>,
  state: ChannelState,
  apply: Apply,
  at: number,
): Outcome {
  const row = state.find(operation)
  if (!row) return UNKNOWN
  const { client } = row.record
  const { publicToken, generation } = client
  addMemberships('leave', client, state, apply, at)
  const id = state.head + 1
  apply({ at, entry: { kind: 'remove', id, publicToken, generation }, removed: [publicToken] })
  return { epoch: state.epoch, id, client }
}

export function stop(operation: Of<'stop'>, state: ChannelState, apply: Apply, at: number): Outcome {
  const { topics, except } = operation
  const isMeant = ({ record }: Row): boolean => !except.includes(record.client.publicToken)
  const rows = state.audience(topics).filter(isMeant)
  const stopped = rows.map(({ record }) => record.client)
  const id = state.head + 1
  const removed = stopped.map(({ publicToken }) => publicToken)
  apply({ at, entry: { kind: 'stop', id, topics, except }, removed, stopped: rows.map(({ hash }) => hash) })
  for (const client of stopped) addMemberships('leave', client, state, apply, at)
  return { epoch: state.epoch, id, stopped }
}

/** An entry for each group of a client that comes or goes. */
function addMemberships(
  kind: 'join' | 'leave',
  client: CometClient,
  state: ChannelState,
  apply: Apply,
  at: number,
): void {
  const { generation, groups } = client
  for (const group of groups) {
    apply({ at, entry: { kind, id: state.head + 1, generation, client: publicPartOf(client), group } })
  }
}
