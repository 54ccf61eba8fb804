import { type CometClient, publicPartOf } from '../../lib/comet-client.ts'
import type {
  InitialiseOperation,
  JoinOperation,
  LeaveOperation,
  Operation,
  Outcome,
  Refusal,
  RemoveOperation,
  SendOperation,
  StopOperation,
  UpdateOperation,
} from '../../lib/comet-state-provider.ts'
import { groupsOf, isMember, withJoined, withLeft } from '../../lib/memberships.ts'
import { removeClient } from './client-removal.ts'
import { type ClientRow, clientOf, membershipsOf } from './client-rows.ts'
import type { RememberedRows } from './remembered-rows.ts'
import type { Stops, StopTables } from './stops.ts'
import type { WriteTransaction } from './write-transaction.ts'

/** The tables that operations change. */
export interface OperationTables extends StopTables {
  readonly keys: RememberedRows
}

const UNKNOWN: Refusal = { refused: 'COMET_CLIENT_DOES_NOT_EXIST' }

/** One operation of the contract, within a transaction. A refusal has changed nothing that it speaks of. */
export class Operations {
  readonly #tables: OperationTables
  readonly #stops: Stops
  readonly #rememberMs: number

  /** @param rememberMs how long keys and stopped tokens are remembered */
  constructor(tables: OperationTables, stops: Stops, rememberMs: number) {
    this.#tables = tables
    this.#stops = stops
    this.#rememberMs = rememberMs
  }

  do(operation: Exclude<Operation, StopOperation>, transaction: WriteTransaction): Outcome {
    switch (operation.kind) {
      case 'send':
        return this.#send(operation, transaction)
      case 'initialise':
        return this.#initialise(operation, transaction)
      case 'update':
        return this.#update(operation, transaction)
      case 'join':
        return this.#join(operation, transaction)
      case 'leave':
        return this.#leave(operation, transaction)
      case 'remove':
        return this.remove(operation, transaction)
    }
  }

  remove({ publicToken, generation }: Omit<RemoveOperation, 'kind'>, transaction: WriteTransaction): Outcome {
    const row = this.#tables.existing.find(publicToken, generation, transaction)
    if (row === undefined) return UNKNOWN
    const client = removeClient(row, transaction, this.#tables)
    const id = this.#tables.log.add(transaction, (id) => ({ kind: 'remove', id, publicToken, generation }))
    return { epoch: transaction.channel.epoch, id, client }
  }

  #send(operation: SendOperation, transaction: WriteTransaction): Outcome {
    const { topics, except, name, contents, receiver, key } = operation
    const { existing, keys, log } = this.#tables
    const { epoch } = transaction.channel
    const first = key === undefined ? undefined : keys.find(key, transaction.now)
    if (first !== undefined) return { epoch, id: first }
    if (receiver !== undefined && existing.find(receiver, undefined, transaction) === undefined)
      return UNKNOWN
    const id = log.add(transaction, (id) => ({ kind: 'message', id, topics, except, name, contents }))
    if (key !== undefined) keys.remember(key, id, transaction.now + this.#rememberMs)
    return { epoch, id }
  }

  #initialise(operation: InitialiseOperation, transaction: WriteTransaction): Outcome {
    const refused = this.#refusal(operation, transaction)
    if (refused) return refused
    const { client: given, privateTokenHash, from, leaseSeconds } = operation
    const { clients, audience, log } = this.#tables
    const { channel, wallTime } = transaction
    const generation = log.add(transaction, (id) => ({
      kind: 'initialise',
      id,
      publicToken: given.publicToken,
    }))
    const start = from ?? { epoch: channel.epoch, messageId: generation }
    const client: CometClient = { ...given, createdAt: wallTime, lastSeenAt: wallTime, generation, start }
    clients.insert(client, privateTokenHash, Math.ceil(transaction.leaseTime + leaseSeconds * 1000))
    channel.clients += 1
    const known = Object.freeze(publicPartOf(client))
    for (const group of client.groups) {
      audience.join(group, generation, generation)
      log.add(transaction, (id) => ({ kind: 'join', id, generation, client: known, group }))
    }
    return { epoch: channel.epoch, id: generation, client }
  }

  #refusal(operation: InitialiseOperation, transaction: WriteTransaction): Refusal | undefined {
    const { client, privateTokenHash, maxClients, maxClientsPerUser } = operation
    const { existing, clients, stopped } = this.#tables
    const isStopped = stopped.find(privateTokenHash, transaction.now) !== undefined
    if (isStopped || clients.hasPrivateHash(privateTokenHash)) {
      return { refused: 'COMET_CLIENT_ALREADY_EXISTS' }
    }
    const bearer = existing.withToken(client.publicToken)
    if (bearer) {
      const stop = existing.stopOf(bearer, transaction)
      if (stop === undefined) return { refused: 'COMET_CLIENT_ALREADY_EXISTS' }
      this.#stops.finishAside(bearer, stop, transaction)
    }
    const { channel } = transaction
    this.#stops.makeRoom(channel.clients - maxClients + 1, transaction)
    if (channel.clients >= maxClients) return { refused: 'COMET_TOO_MANY_CLIENTS' }
    const isUsersLimit =
      client.userId !== undefined && this.#countOfUser(client.userId, transaction) >= maxClientsPerUser
    return isUsersLimit ? { refused: 'COMET_USER_HAS_TOO_MANY_CLIENTS' } : undefined
  }

  #countOfUser(userId: string, transaction: WriteTransaction): number {
    const { existing, audience } = this.#tables
    const count = audience.countOfUser(userId)
    if (transaction.channel.stops === 0) return count
    const rows = audience.page(`u:${userId}`, 0, count)
    return rows.filter((row) => existing.stopOf(row, transaction) === undefined).length
  }

  #update(
    { publicToken, generation: asked, displayName, data }: UpdateOperation,
    transaction: WriteTransaction,
  ): Outcome {
    const { clients, log } = this.#tables
    const row = this.#tables.existing.find(publicToken, asked, transaction)
    if (row === undefined) return UNKNOWN
    const before = clientOf(row)
    const client = {
      ...before,
      displayName: displayName ?? before.displayName,
      data: data === undefined ? before.data : data,
    }
    clients.update(client)
    const { generation } = row
    const details = { generation, client: Object.freeze(publicPartOf(client)), groups: client.groups }
    const id = log.add(transaction, (id) => ({ kind: 'update', id, ...details }))
    return { epoch: transaction.channel.epoch, id, client }
  }

  #join(
    { publicToken, generation, group, maxGroups }: JoinOperation,
    transaction: WriteTransaction,
  ): Outcome {
    const row = this.#tables.existing.find(publicToken, generation, transaction)
    if (row === undefined) return UNKNOWN
    const before = membershipsOf(row)
    if (isMember(before, group)) return unchanged(row, transaction)
    if (groupsOf(before).length >= maxGroups) return { refused: 'COMET_CLIENT_HAS_TOO_MANY_GROUPS' }
    const { outcome, id } = this.#changeMembership('join', row, group, transaction)
    this.#tables.audience.join(group, row.generation, id)
    return outcome
  }

  #leave({ publicToken, generation, group }: LeaveOperation, transaction: WriteTransaction): Outcome {
    const row = this.#tables.existing.find(publicToken, generation, transaction)
    if (row === undefined) return UNKNOWN
    if (!isMember(membershipsOf(row), group)) return unchanged(row, transaction)
    this.#tables.audience.leave(group, row.generation)
    return this.#changeMembership('leave', row, group, transaction).outcome
  }

  #changeMembership(
    kind: 'join' | 'leave',
    row: ClientRow,
    group: string,
    transaction: WriteTransaction,
  ): { readonly outcome: Outcome; readonly id: number } {
    const { clients, log } = this.#tables
    const { epoch, trimmedThrough } = transaction.channel
    const { generation } = row
    const before = clientOf(row)
    const known = Object.freeze(publicPartOf(before))
    const id = log.add(transaction, (id) => ({ kind, id, generation, client: known, group }))
    const record =
      kind === 'join'
        ? withJoined(membershipsOf(row), group, id)
        : withLeft(membershipsOf(row), group, id, trimmedThrough)
    clients.setMemberships(generation, record)
    return { outcome: { epoch, id, client: { ...before, groups: groupsOf(record) } }, id }
  }
}

/** It was so already. */
function unchanged(row: ClientRow, { channel: { epoch, head } }: WriteTransaction): Outcome {
  return { epoch, id: head, unchanged: true, client: clientOf(row) }
}
