import type { PublicCometClient } from '../../lib/comet-client.ts'
import type { Entry, MessageEntry } from '../../lib/comet-state-provider.ts'
import { EVERYBODY, EVERYBODY_TOPICS } from '../../lib/topics.ts'

/** An entry of the stream as Redis answers it: its id there, and its fields, each name followed by its value. */
export type StreamEntry = readonly [id: string, fields: readonly string[]]

/** A new life of the log begins with this. */
export interface EpochEntry {
  readonly kind: 'epoch'
  readonly id: number
  readonly epoch: string
}

const NOBODY: readonly string[] = Object.freeze([])

/** Behind the kind with what its retention needs come the entry's own fields, in the order in which it was added. */
export function entryOf([streamId, fields]: StreamEntry): Entry | EpochEntry {
  const id = Number.parseInt(streamId, 10)
  switch (fields[0]) {
    case 'message':
      return messageOf(id, fields)
    case 'initialise':
      return { kind: 'initialise', id, publicToken: fields[3]! }
    case 'update':
      return { kind: 'update', id, ...memberOf(fields), groups: JSON.parse(fields[11]!) as string[] }
    case 'join':
      return { kind: 'join', id, ...memberOf(fields), group: fields[11]! }
    case 'leave':
      return { kind: 'leave', id, ...memberOf(fields), group: fields[11]! }
    case 'remove':
      return { kind: 'remove', id, generation: Number(fields[3]), publicToken: fields[5]! }
    case 'stop':
      return { kind: 'stop', id, topics: listOf(fields[3]!), except: listOf(fields[5]!) }
    case 'epoch':
      return { kind: 'epoch', id, epoch: fields[3]! }
    default:
      throw new Error(`The stream has an entry of a kind that is not known: '${fields[0]}'.`)
  }
}

/**
 * What {@link messageOf} reads behind the head: the contents, under the name of the topics, and `except`. Each field
 * costs those who read it.
 */
export function addressedFields(
  topics: readonly string[],
  except: readonly string[],
): readonly [address: string, except?: string] {
  const address = topics.length === 1 ? topics[0]! : JSON.stringify(topics)
  return except.length === 0 ? [address] : [address, JSON.stringify(except)]
}

function messageOf(id: number, fields: readonly string[]): MessageEntry {
  return {
    kind: 'message',
    id,
    name: nameIn(fields[1]!),
    contents: fields[3]!,
    topics: topicsIn(fields[2]!),
    except: fields.length > 4 ? listOf(fields[5]!) : NOBODY,
  }
}

/** One topic, which begins with no bracket, or the list of several. */
function topicsIn(address: string): readonly string[] {
  if (address === EVERYBODY) return EVERYBODY_TOPICS
  return address.startsWith('[') ? listOf(address) : [address]
}

/** Of `<stored at> <bytes> <name>`. */
function nameIn(head: string): string {
  return head.slice(head.indexOf(' ', head.indexOf(' ') + 1) + 1)
}

function memberOf(fields: readonly string[]): {
  readonly generation: number
  readonly client: PublicCometClient
} {
  const client = { publicToken: fields[5]!, displayName: fields[7]!, data: JSON.parse(fields[9]!) as unknown }
  return { generation: Number(fields[3]), client: Object.freeze(client) }
}

function listOf(json: string): string[] {
  return JSON.parse(json) as string[]
}
