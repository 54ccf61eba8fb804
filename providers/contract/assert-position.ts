import assert from 'node:assert/strict'
import type { CometClient } from '../../lib/comet-client.ts'
import type { ClientRecord, Entry, StopEntry } from '../../lib/comet-state-provider.ts'
import { topicsOf } from '../../lib/topics.ts'

/** Fails if a record was answered as of a position at which it cannot have been so. Nothing may be forgotten yet. */
export function assertPosition({ client, memberships, asOf }: ClientRecord, log: readonly Entry[]): void {
  const { publicToken, generation } = client
  const head = log.at(-1)?.id ?? 0
  assert.ok(generation <= asOf && asOf <= head, `as of ${asOf}, of ${generation} to ${head}`)
  const end = log.find((entry) => entry.id > generation && ends(entry, client, log))
  assert.ok(!end || asOf < end.id, `${publicToken} was answered as of ${asOf}, and ended at ${end?.id}`)
  const changes = log.filter((entry) => entry.id <= asOf && isOf(entry, generation))
  const count = (kind: Entry['kind']) => changes.filter((entry) => entry.kind === kind).length
  const joined = memberships.length
  const left = memberships.filter((membership) => membership.left !== undefined).length
  assert.deepEqual(
    { joined, left },
    { joined: count('join'), left: count('leave') },
    `${publicToken} was answered as of ${asOf} with ${JSON.stringify(memberships)}`,
  )
}

function isOf(entry: Entry, generation: number): boolean {
  return 'generation' in entry && entry.generation === generation
}

function ends(entry: Entry, client: CometClient, log: readonly Entry[]): boolean {
  if (entry.kind === 'remove') return entry.generation === client.generation
  return entry.kind === 'stop' && isHit(entry, client, log)
}

function isHit({ id, topics, except }: StopEntry, client: CometClient, log: readonly Entry[]): boolean {
  const groups = groupsAt(id, client, log)
  return (
    !except.includes(client.publicToken) &&
    topicsOf({ ...client, groups }).some((each) => topics.includes(each))
  )
}

function groupsAt(id: number, { generation }: CometClient, log: readonly Entry[]): string[] {
  const groups = new Set<string>()
  for (const entry of log) {
    if (entry.id >= id || !isOf(entry, generation)) continue
    if (entry.kind === 'join') groups.add(entry.group)
    if (entry.kind === 'leave') groups.delete(entry.group)
  }
  return [...groups]
}
