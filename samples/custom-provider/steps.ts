import {
  type Claim,
  type ClaimOutcome,
  type ClaimReply,
  type Cursor,
  type LeaseOutcome,
  type LeaseRenewal,
  type Operation,
  type Outcome,
  type RemovedClient,
  SWEEP_PERIOD_SECONDS,
} from 'koa-comet'
import type { Apply, ChannelState } from './channel-state.ts'
import { initialise, joinOrLeave, type Of, remove, stop, UNKNOWN, update } from './client-steps.ts'

/** Does one operation: all its checks, then what it changes. */
export function perform(operation: Operation, ...at: [ChannelState, Apply, number]): Outcome {
  switch (operation.kind) {
    case 'send':
      return send(operation, ...at)
    case 'initialise':
      return initialise(operation, ...at)
    case 'update':
      return update(operation, ...at)
    case 'join':
    case 'leave':
      return joinOrLeave(operation, ...at)
    case 'remove':
      return remove(operation, ...at)
    case 'stop':
      return stop(operation, ...at)
  }
}

function send(operation: Of<'send'>, state: ChannelState, apply: Apply, at: number): Outcome {
  const { topics, except, name, contents, receiver, key } = operation
  const { epoch } = state
  const known = key === undefined ? undefined : state.keys.get(key)
  if (known) return { epoch, id: known.id }
  if (receiver !== undefined && !state.rows.has(receiver)) return UNKNOWN
  const id = state.head + 1
  const entry = { kind: 'message', id, topics, except, name, contents } as const
  apply({ at, entry, ...(key !== undefined && { key: { key, id } }) })
  return { epoch, id }
}

export function renew(renewal: LeaseRenewal, state: ChannelState, apply: Apply, at: number): LeaseOutcome {
  const { publicToken, generation, holder, take, returns, seconds, goodbye } = renewal
  const row = state.rows.get(publicToken)
  if (row?.record.client.generation !== generation) return 'gone'
  const { client, holder: present, acknowledged: known } = row.record
  if (present !== undefined && present !== holder && !take) return 'elsewhere'
  if (row.goodbye && !returns) return 'kept'
  const acknowledged = higher(known, renewal.acknowledged)
  const seen = { ...client, lastSeenAt: at }
  const record = { ...row.record, client: seen, holder, ...(acknowledged && { acknowledged }) }
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
    remove(client, state, apply, at)
    return { client, reason: goodbye ? 'goodbye' : 'idle' }
  })
}

export function claim(
  { run, runSeconds, seconds, ...asked }: Claim,
  state: ChannelState,
  apply: Apply,
  at: number,
): ClaimOutcome {
  const { generation, key } = asked
  if (!state.find(asked)) return 'gone'
  const known = state.claims.find(generation, key, at)
  if (known?.reply) return { reply: known.reply }
  if (known?.reply === null) return 'unknown'
  if (known && known.run !== run) return known.runsUntil > at ? 'running' : 'unknown'
  const ends = { runsUntil: at + runSeconds * 1000, until: at + seconds * 1000 }
  apply({ at, claim: { generation, key, run, ...ends } })
  return 'claimed'
}

export function settle(settled: ClaimReply, state: ChannelState, apply: Apply, at: number): void {
  const { generation, key, run, reply } = settled
  const known = state.claims.find(generation, key, at)
  if (known?.run === run && known.reply === undefined) apply({ at, claim: { ...known, reply } })
}
