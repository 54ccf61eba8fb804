import type { PublicCometClient } from '../../lib/comet-client.ts'
import type { Entry, MessageEntry } from '../../lib/comet-state-provider.ts'
import { RecentMap } from './recent-map.ts'

/** An entry of the stream as Redis answers it: its id there, and its fields, each name followed by its value. */
export type StreamEntry = readonly [id: string, fields: readonly string[]]

/** A new life of the log begins with this. */
export interface EpochEntry {
  readonly kind: 'epoch'
  readonly id: number
  readonly epoch: string
}

/** These lists are not frozen, though shared: V8 makes an iterator for each walk through a frozen one. */
const NOBODY: readonly string[] = []

const ZERO = '0'.charCodeAt(0)

/** So the kind of a message begins. */
const MESSAGE = 'message '

/** Whom a message is for, and its name: the same objects for all messages that say the same. */
interface Address {
  readonly topics: readonly string[]
  readonly name: string
}

/**
 * Most messages are addressed as one before was, and each is retained: with objects of their own for the same address they
 * would take more memory, and more of the time of all indexes, which find an equal string fast only if it is flat.
 */
const addresses = new RecentMap<Address>(20_000)

/** Whether a new life of the log begins with it. */
export function beginsLife([, fields]: StreamEntry): boolean {
  return fields[0] === 'epoch'
}

/** Behind the kind and what its retention needs come the entry's own fields, in the order in which it was added. */
export function entryOf([streamId, fields]: StreamEntry): Entry | EpochEntry {
  const id = idOf(streamId)
  const kind = fields[0]!
  const known = addresses.get(kind)
  if (known) return messageOf(id, known, fields)
  switch (kind) {
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
      if (!kind.startsWith(MESSAGE)) {
        throw new Error(`The stream has an entry of a kind that is not known: '${kind}'.`)
      }
      return messageOf(id, newAddress(kind), fields)
  }
}

/** The kind of a message: all who read it pay for each field more. {@link readAddress} reads it. */
export function messageKind(topics: readonly string[], name: string): string {
  const listed = topics.length === 1 ? topics[0]! : JSON.stringify(topics)
  return `${MESSAGE}${listed.length} ${listed}${name}`
}

/** Of `<id>-0`. `parseInt` would leave compiled code for this, and each message is read. */
function idOf(streamId: string): number {
  const end = streamId.indexOf('-')
  let id = 0
  for (let index = 0; index < end; index++) id = id * 10 + streamId.charCodeAt(index) - ZERO
  return id
}

/** The contents stand behind what the retention needs. */
function messageOf(id: number, { topics, name }: Address, fields: readonly string[]): MessageEntry {
  const except = fields.length > 2 ? listOf(fields[3]!) : NOBODY
  return { kind: 'message', id, name, contents: behindSpaces(fields[1]!, 2), topics, except }
}

function newAddress(kind: string): Address {
  const address = readAddress(kind.slice(MESSAGE.length))
  // A list may be long, and is seldom sent to twice.
  if (address.topics.length === 1) addresses.set(kind, address)
  return address
}

function readAddress(text: string): Address {
  const listed = behindSpaces(text, 1)
  const end = Number.parseInt(text, 10)
  if (Number.isNaN(end)) throw new Error(`The stream has a message whose address cannot be read: '${text}'.`)
  return { topics: topicsIn(listed.slice(0, end)), name: flat(listed.slice(end)) }
}

/** One topic, which begins with no bracket, or the list of several. */
function topicsIn(listed: string): readonly string[] {
  return listed.startsWith('[') ? listOf(listed) : [flat(listed)]
}

/** V8 leaves a slice where it is, keeps all of that, and compares it slowly at each look into an index. */
function flat(text: string): string {
  return Buffer.from(text).toString()
}

function behindSpaces(text: string, count: number): string {
  let end = -1
  for (let passed = 0; passed < count; passed++) end = text.indexOf(' ', end + 1)
  return text.slice(end + 1)
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
