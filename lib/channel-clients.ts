import { type Audience, checkGroup, checkOnlyAudience } from './audience.ts'
import type { ChannelEmitter } from './channel-events.ts'
import type { ChannelNode } from './channel-node.ts'
import { checkPublicToken, checkToken } from './checks.ts'
import type { CometClient, InitializedCometClient } from './comet-client.ts'
import { CometException, ErrorText } from './comet-exception.ts'
import type { Done, InitialiseOperation } from './comet-state-provider.ts'
import { type Cursor, FOREIGN_CURSOR } from './cursor.ts'
import { eachWithDeadline, withDeadline } from './deadline.ts'
import {
  checkParameters,
  checkUpdate,
  type InitializeParameters,
  type UpdateParameters,
} from './initialize-parameters.ts'
import type { CompleteOptions } from './options.ts'
import { hashToken } from './private-token.ts'
import { leaseSeconds } from './subscribe/client-lease.ts'

/** How many clients there are of an audience. */
export interface ClientCounts {
  readonly clients: number
  /** Different users among them, by `userId`. */
  readonly users: number
}

/** One client, whoever bears the public token; or no other than the one of this generation. */
export type ClientName = Pick<CometClient, 'publicToken'> & { readonly generation?: number }

/** What the app does with the clients of a channel. `CometStateManager` documents each. */
export class ChannelClients {
  readonly #node: ChannelNode
  readonly #options: CompleteOptions
  readonly #events: ChannelEmitter

  constructor(node: ChannelNode, options: CompleteOptions, events: ChannelEmitter) {
    this.#node = node
    this.#options = options
    this.#events = events
  }

  async initialize(parameters: InitializeParameters): Promise<InitializedCometClient> {
    const { client, privateToken, from } = checkParameters(parameters, this.#options)
    // Nothing is awaited without need: calls are appended in the order in which they were made.
    const start = from && this.#isAhead(from) ? await this.#reached(from) : from
    const operation: InitialiseOperation = {
      kind: 'initialise',
      client,
      privateTokenHash: hashToken(privateToken),
      ...(start && { from: start }),
      leaseSeconds: leaseSeconds(client.connectionIdleSeconds),
      maxClients: this.#options.maxClients,
      maxClientsPerUser: this.#options.maxClientsPerUser,
    }
    const stored = await this.#node.append(operation, ({ client }) => {
      this.#events.emitInitialized(client!)
      return client!
    })
    return { ...stored, privateToken }
  }

  async find(privateToken: string): Promise<CometClient> {
    checkToken('privateToken', privateToken)
    await this.#node.open()
    const { provider, timeoutSeconds } = this.#node
    const record = await withDeadline(timeoutSeconds, 'getClient', () =>
      provider.getClient(hashToken(privateToken)),
    )
    if (record === undefined || record === 'stopped') {
      throw new CometException('COMET_CLIENT_DOES_NOT_EXIST', ErrorText.clientDoesNotExist)
    }
    return record.client
  }

  async *list(audience: Audience): AsyncGenerator<CometClient> {
    const { topics, except } = checkOnlyAudience('getClients', audience, this.#options.maxReceivers)
    await this.#node.open()
    const { provider, timeoutSeconds } = this.#node
    const clients = eachWithDeadline(timeoutSeconds, 'getClients', () => provider.getClients(topics))
    for await (const client of clients) if (!except.includes(client.publicToken)) yield client
  }

  async count(audience: Audience): Promise<ClientCounts> {
    let clients = 0
    const users = new Set<string>()
    for await (const { userId } of this.list(audience)) {
      clients += 1
      if (userId !== undefined) users.add(userId)
    }
    return { clients, users: users.size }
  }

  /** Resolves with an id: what is sent to the group after it reaches the client. */
  join(client: ClientName, name: string): Promise<number> {
    const group = checkGroup(name)
    const { maxGroupsPerClient: maxGroups } = this.#options
    return this.#node.appendAndApply({ kind: 'join', ...client, group, maxGroups }, (done) => {
      this.#tellOf('clientJoined', done, group)
      return done.id
    })
  }

  /** Resolves with whether it was a member. */
  leave(client: ClientName, name: string): Promise<boolean> {
    const group = checkGroup(name)
    return this.#node.appendAndApply({ kind: 'leave', ...client, group }, (done) => {
      this.#tellOf('clientLeft', done, group)
      return !done.unchanged
    })
  }

  update(publicToken: string, parameters: UpdateParameters): Promise<CometClient> {
    checkPublicToken(publicToken)
    const changed = checkUpdate(parameters)
    return this.#node.appendAndApply({ kind: 'update', publicToken, ...changed }, ({ client }) => {
      this.#events.emit('clientUpdated', client!)
      return client!
    })
  }

  /** Resolves with how many were stopped. */
  stop(whom: string | Audience): Promise<number> {
    const audience = typeof whom === 'string' ? { to: whom } : whom
    const addressed = checkOnlyAudience('stopClient', audience, this.#options.maxReceivers)
    // An option that is missing by mistake must not end everybody.
    if (Object.keys(audience).length === 0) {
      throw new TypeError('stopClient ends an audience: name one, or say { except: [] } for everybody.')
    }
    return this.#node.append({ kind: 'stop', ...addressed }, ({ stopped = [] }) => {
      for (const client of stopped) this.#events.emitRemoval(client, 'stopped')
      return stopped.length
    })
  }

  async killIdle(privateToken: string): Promise<void> {
    const { publicToken, generation } = await this.find(privateToken)
    await this.#node.append({ kind: 'remove', publicToken, generation }, ({ client }) =>
      this.#events.emitRemoval(client!, 'idle'),
    )
  }

  #tellOf(event: 'clientJoined' | 'clientLeft', { client, unchanged }: Done, group: string): void {
    if (!unchanged) this.#events.emit(event, client!, { group })
  }

  /** Whether this node has yet to find out if the log has come so far. */
  #isAhead({ epoch, messageId }: Cursor): boolean {
    const { isOpen, log } = this.#node
    return !isOpen || (epoch === log.epoch && messageId > log.head)
  }

  /** A position that even the store has not reached is of another log, whatever it says. */
  async #reached(from: Cursor): Promise<Cursor> {
    await this.#node.open()
    if (this.#isAhead(from)) await this.#node.catchUp()
    return this.#isAhead(from) ? FOREIGN_CURSOR : from
  }
}
