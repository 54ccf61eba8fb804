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

/** What {@link messageOf} reads: nothing for what is for everybody. */
export function addressFields(topics: readonly string[], except: readonly string[]): string[] {
  const fields = topicFields(topics)
  return except.length === 0 ? fields : [...fields, 'except', JSON.stringify(except)]
}

function topicFields(topics: readonly string[]): string[] {
  if (topics.length !== 1) return ['topics', JSON.stringify(topics)]
  return topics[0] === EVERYBODY ? [] : ['topic', topics[0]!]
}

function messageOf(id: number, fields: readonly string[]): MessageEntry {
  let topics = EVERYBODY_TOPICS
  let except = NOBODY
  for (let index = 4; index < fields.length; index += 2) {
    const value = fields[index + 1]!
    if (fields[index] === 'topic') topics = [value]
    else if (fields[index] === 'topics') topics = listOf(value)
    else except = listOf(value)
  }
  return { kind: 'message', id, name: nameIn(fields[1]!), contents: fields[3]!, topics, except }
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
