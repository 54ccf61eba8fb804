import {
  type Cursor,
  type LeaseOutcome,
  type LeaseRenewal,
  type Operation,
  type Outcome,
  type RemovedClient,
  SWEEP_PERIOD_SECONDS,
} from 'koa-comet'
import type { Apply, ChannelState } from './channel-state.ts'

/** Does one operation: all its checks, then one change. */
export function perform(operation: Operation, state: ChannelState, apply: Apply, at: number): Outcome {
  const id = state.head + 1
  const { epoch } = state
  switch (operation.kind) {
    case 'send': {
      const { topics, except, name, contents, receiver, key } = operation
      const known = key === undefined ? undefined : state.keys.get(key)
      if (known) return { epoch, id: known.id }
      if (receiver !== undefined && !state.rows.has(receiver))
        return { refused: 'COMET_CLIENT_DOES_NOT_EXIST' }
      const entry = { kind: 'message', id, topics, except, name, contents } as const
      apply({ at, entry, ...(key !== undefined && { key: { key, id } }) })
      return { epoch, id }
    }
    case 'initialise': {
      const { client: given, privateTokenHash: hash, from, leaseSeconds, maxClients } = operation
      const { publicToken } = given
      const isTaken = state.rows.has(publicToken) || state.publicTokens.has(hash) || state.stopped.has(hash)
      if (isTaken) return { refused: 'COMET_CLIENT_ALREADY_EXISTS' }
      if (state.rows.size >= maxClients) return { refused: 'COMET_TOO_MANY_CLIENTS' }
      const start = from ?? { epoch, messageId: id }
      const client = { ...given, createdAt: at, lastSeenAt: at, generation: id, start }
      const row = { record: { client }, hash, expiresAt: at + leaseSeconds * 1000, goodbye: false }
      apply({ at, entry: { kind: 'initialise', id, publicToken }, row })
      return { epoch, id, client }
    }
    case 'remove': {
      const { publicToken, generation } = operation
      if (state.rows.get(publicToken)?.record.client.generation !== generation) {
        return { refused: 'COMET_CLIENT_DOES_NOT_EXIST' }
      }
      apply({ at, entry: { kind: 'remove', id, publicToken, generation }, removed: [publicToken] })
      return { epoch, id }
    }
    case 'stop': {
      const { topics } = operation
      const isMeant = (publicToken: string) => topics.includes('*') || topics.includes(`c:${publicToken}`)
      const rows = [...state.rows.values()].filter(({ record }) => isMeant(record.client.publicToken))
      const clients = rows.map(({ record }) => record.client)
      const removed = clients.map(({ publicToken }) => publicToken)
      apply({ at, entry: { kind: 'stop', id, topics }, removed, stopped: rows.map(({ hash }) => hash) })
      return { epoch, id, stopped: clients }
    }
  }
}

export function renew(renewal: LeaseRenewal, state: ChannelState, apply: Apply, at: number): LeaseOutcome {
  const { publicToken, generation, holder, take, returns, seconds, goodbye } = renewal
  const row = state.rows.get(publicToken)
  if (row?.record.client.generation !== generation) return 'gone'
  const { client, holder: present, acknowledged: known } = row.record
  if (present !== undefined && present !== holder && !take) return 'elsewhere'
  if (row.goodbye && !returns) return 'kept'
  const acknowledged = higher(known, renewal.acknowledged)
  const record = { client: { ...client, lastSeenAt: at }, holder, ...(acknowledged && { acknowledged }) }
  apply({ at, row: { ...row, record, expiresAt: at + seconds * 1000, goodbye } })
  return 'kept'
}

/** Of one epoch the higher position, else the newer one. */
function higher(known: Cursor | undefined, told: Cursor | undefined): Cursor | undefined {
  if (!known || !told) return told ?? known
  return known.epoch === told.epoch && known.messageId > told.messageId ? known : told
}

/** Removes whose lease has ended, after the time in which nobody was looking has been added to every lease. */
export function sweep(state: ChannelState, apply: Apply, at: number): RemovedClient[] {
  const unsweptMs = at - (state.sweptAt ?? at)
  // Below 0: the clock was set back while no process ran, and the leases go back with it.
  const isUnseen = unsweptMs > 2 * SWEEP_PERIOD_SECONDS * 1000 || unsweptMs < 0
  apply({ at, sweep: { addedMs: isUnseen ? unsweptMs : 0 } })
  const expired = [...state.rows.values()].filter(({ expiresAt }) => expiresAt <= at)
  return expired.map(({ record: { client }, goodbye }) => {
    const { publicToken, generation } = client
    perform({ kind: 'remove', publicToken, generation }, state, apply, at)
    return { client, reason: goodbye ? 'goodbye' : 'idle' }
  })
}
