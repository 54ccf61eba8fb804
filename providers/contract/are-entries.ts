import type { PublicCometClient } from '../../lib/comet-client.ts'
import type { Entry } from '../../lib/comet-state-provider.ts'
import type { NewEntry } from './predictions.ts'

/** Whether these are the entries that were expected, in this order. */
export function areEntries(added: readonly Entry[], expected: readonly NewEntry[]): boolean {
  return (
    added.length === expected.length && added.every((entry, index) => gist(entry) === gist(expected[index]!))
  )
}

/** All that it says but its id. */
function gist(entry: NewEntry): string {
  switch (entry.kind) {
    case 'message':
      return JSON.stringify([entry.kind, entry.topics, entry.except, entry.name, entry.contents])
    case 'initialise':
      return JSON.stringify([entry.kind, entry.publicToken])
    case 'update':
      return JSON.stringify([entry.kind, entry.generation, gistOf(entry.client), entry.groups])
    case 'join':
    case 'leave':
      return JSON.stringify([entry.kind, entry.generation, gistOf(entry.client), entry.group])
    case 'remove':
      return JSON.stringify([entry.kind, entry.publicToken, entry.generation])
    case 'stop':
      return JSON.stringify([entry.kind, entry.topics, entry.except])
  }
}

function gistOf({ publicToken, displayName, data }: PublicCometClient): unknown[] {
  return [publicToken, displayName, data]
}
