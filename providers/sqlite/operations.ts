import type { CometClient } from '../../lib/comet-client.ts'
import type {
  InitialiseOperation,
  Operation,
  Outcome,
  RemoveOperation,
  SendOperation,
  StopOperation,
} from '../../lib/comet-state-provider.ts'
import { type ClientRows, clientOf } from './client-rows.ts'
import type { EntryAppender } from './entry-rows.ts'
import type { RememberedRows } from './remembered-rows.ts'
import type { WriteTransaction } from './write-transaction.ts'

/** The tables that operations change. */
export interface OperationTables {
  readonly log: EntryAppender
  readonly clients: ClientRows
  readonly keys: RememberedRows
  readonly stopped: RememberedRows
}

/** One operation of the contract, within a transaction. A refusal has changed nothing. */
export class Operations {
  readonly #tables: OperationTables
  readonly #rememberMs: number

  /** @param rememberMs how long keys and stopped tokens are remembered */
  constructor(tables: OperationTables, rememberMs: number) {
    this.#tables = tables
    this.#rememberMs = rememberMs
  }

  do(operation: Operation, transaction: WriteTransaction): Outcome {
    switch (operation.kind) {
      case 'send':
        return this.#send(operation, transaction)
      case 'initialise':
        return this.#initialise(operation, transaction)
      case 'remove':
        return this.remove(operation, transaction)
      case 'stop':
        return this.#stop(operation, transaction)
    }
  }

  remove({ publicToken, generation }: Omit<RemoveOperation, 'kind'>, transaction: WriteTransaction): Outcome {
    const { clients, log } = this.#tables
    const { channel } = transaction
    if (clients.byPublicToken(publicToken)?.generation !== generation) {
      return { refused: 'COMET_CLIENT_DOES_NOT_EXIST' }
    }
    clients.delete(generation)
    channel.clients -= 1
    return {
      epoch: channel.epoch,
      id: log.add(transaction, (id) => ({ kind: 'remove', id, publicToken, generation })),
    }
  }

  #send(operation: SendOperation, transaction: WriteTransaction): Outcome {
    const { topics, except, name, contents, receiver, key } = operation
    const { clients, keys, log } = this.#tables
    const { epoch } = transaction.channel
    const first = key === undefined ? undefined : keys.find(key, transaction.now)
    if (first !== undefined) return { epoch, id: first }
    if (receiver !== undefined && clients.byPublicToken(receiver) === undefined) {
      return { refused: 'COMET_CLIENT_DOES_NOT_EXIST' }
    }
    const id = log.add(transaction, (id) => ({ kind: 'message', id, topics, except, name, contents }))
    if (key !== undefined) keys.remember(key, id, transaction.now + this.#rememberMs)
    return { epoch, id }
  }

  #initialise(operation: InitialiseOperation, transaction: WriteTransaction): Outcome {
    const { client: given, privateTokenHash, from, leaseSeconds, maxClients } = operation
    const { clients, stopped, log } = this.#tables
    const { channel, now, wallTime } = transaction
    const isTaken = clients.isTaken(given.publicToken, privateTokenHash)
    if (isTaken || stopped.find(privateTokenHash, now) !== undefined) {
      return { refused: 'COMET_CLIENT_ALREADY_EXISTS' }
    }
    if (channel.clients >= maxClients) return { refused: 'COMET_TOO_MANY_CLIENTS' }
    const id = log.add(transaction, (id) => ({ kind: 'initialise', id, publicToken: given.publicToken }))
    const start = from ?? { epoch: channel.epoch, messageId: id }
    const client: CometClient = { ...given, createdAt: wallTime, lastSeenAt: wallTime, generation: id, start }
    clients.insert(client, privateTokenHash, Math.ceil(transaction.leaseTime + leaseSeconds * 1000))
    channel.clients += 1
    return { epoch: channel.epoch, id, client }
  }

  #stop({ topics }: StopOperation, transaction: WriteTransaction): Outcome {
    const { clients, stopped, log } = this.#tables
    const { channel, now } = transaction
    const audience = clients.audience(topics)
    const id = log.add(transaction, (id) => ({ kind: 'stop', id, topics }))
    for (const { generation, privateHash } of audience) {
      clients.delete(generation)
      stopped.remember(privateHash, id, now + this.#rememberMs)
    }
    channel.clients -= audience.length
    return { epoch: channel.epoch, id, stopped: audience.map(clientOf) }
  }
}
