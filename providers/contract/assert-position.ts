import assert from 'node:assert/strict'
import type { ClientRecord, Entry } from '../../lib/comet-state-provider.ts'
import { clientTopic, EVERYBODY } from '../../lib/topics.ts'

/** Fails if a record was answered as of a position at which it cannot have been so. */
export function assertPosition({ client, asOf }: ClientRecord, log: readonly Entry[]): void {
  const { publicToken, generation } = client
  const head = log.at(-1)?.id ?? 0
  assert.ok(generation <= asOf && asOf <= head, `as of ${asOf}, of ${generation} to ${head}`)
  const end = log.find((entry) => entry.id > generation && ends(entry, publicToken))
  assert.ok(!end || asOf < end.id, `${publicToken} was answered as of ${asOf}, and ended at ${end?.id}`)
}

function ends(entry: Entry, publicToken: string): boolean {
  if (entry.kind === 'remove') return entry.publicToken === publicToken
  return (
    entry.kind === 'stop' &&
    (entry.topics.includes(EVERYBODY) || entry.topics.includes(clientTopic(publicToken)))
  )
}
