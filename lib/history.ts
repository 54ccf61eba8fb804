import { checkGroup } from './audience.ts'
import { check, checkToken } from './checks.ts'
import type { MessageEntry } from './comet-state-provider.ts'
import type { MessageLog } from './message-log.ts'
import { EVERYBODY, groupTopic } from './topics.ts'

/** Which of the retained messages are meant. */
export interface HistoryOptions {
  /** Those sent to this group. Default: those sent to everybody. */
  readonly group?: string | undefined
  /** The public token of who is to see it: what was sent to all `except` that client is left out. */
  readonly for?: string | undefined
  /** The newest so many: 1 or more. Default 100. */
  readonly limit?: number | undefined
}

/** A message that was sent, as the app gets it back. */
export interface SentMessage {
  readonly id: number
  readonly name: string
  readonly contents: unknown
}

const DEFAULT_LIMIT = 100
const KEYS = ['group', 'for', 'limit']

/** The newest retained messages of a group or to everybody, in their order. */
export function messagesOf(log: MessageLog, options: HistoryOptions): SentMessage[] {
  const unknown = Object.keys(Object(options)).find((key) => !KEYS.includes(key))
  if (typeof options !== 'object' || options === null || unknown !== undefined) {
    throw new TypeError(`getMessages takes nothing, or an object with ${KEYS.join(', ')}.`)
  }
  const { group, for: reader, limit = DEFAULT_LIMIT } = options
  if (reader !== undefined) checkToken('for', reader)
  check(Number.isSafeInteger(limit) && limit > 0, 'limit', 'a whole number above 0')
  const topic = group === undefined ? EVERYBODY : groupTopic(checkGroup(group))
  return log.newest(topic, limit, reader).map(sentMessage)
}

function sentMessage({ id, name, contents }: MessageEntry): SentMessage {
  return { id, name, contents: JSON.parse(contents) }
}
