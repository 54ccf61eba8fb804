import { AUDIENCE_KEYS, type Audience, checkAudience } from './audience.ts'
import { checkText } from './checks.ts'
import { CometException } from './comet-exception.ts'
import type { SendOperation } from './comet-state-provider.ts'
import { RESERVED_PREFIX } from './wire.ts'

/**
 * Whom a message is for, and how it is sent. Each of the audience gets it once; without an address it is for everybody.
 * If it is for one client alone, by `to`, that one must exist; other names that nobody has are skipped.
 */
export interface SendOptions extends Audience {
  /**
   * A name for this send: to repeat it answers the first id and sends nothing. The provider remembers names for the
   * retention time, but only so many: the in-process one the newest 100,000. 1 to 128 characters.
   */
  readonly key?: string
  /**
   * An open transaction of the app in the channel's store: the message is sent if it is committed, and only then. What
   * it is, the provider says: with SQLite the app's own `Database` of the channel's file.
   */
  readonly transaction?: unknown
}

export interface SendLimits {
  readonly maxMessageBytes: number
  readonly maxReceivers: number
}

/** UTF-8 has no more for each unit of UTF-16. */
const MAX_BYTES_OF_UNIT = 3

const KEYS = [...AUDIENCE_KEYS, 'key', 'transaction']

/** What the provider is to append. Throws as `sendMessage` says. */
export function checkSend(
  name: string,
  contents: unknown,
  options: SendOptions,
  limits: SendLimits,
): SendOperation {
  checkName(name)
  checkOptions(options)
  const { to, key } = options
  if (key !== undefined) checkText('key', key, 128)
  const { topics, except } = checkAudience('sendMessage', options, limits.maxReceivers)
  const isForOne = typeof to === 'string' && topics.length === 1
  return {
    kind: 'send',
    topics,
    except,
    name,
    contents: serialize(contents, limits.maxMessageBytes),
    ...(isForOne && { receiver: to }),
    ...(key !== undefined && { key }),
  }
}

/** Whether it is to be sent within a transaction, also if that is `undefined` by mistake. */
export function isWithinTransaction(options: SendOptions): boolean {
  return typeof options === 'object' && options !== null && 'transaction' in options
}

function checkName(name: string): void {
  checkText('The name of a message', name, 128)
  if (!name.startsWith(RESERVED_PREFIX)) return
  throw new CometException(
    'COMET_PARAMETERS_ARE_INVALID',
    `Names that begin with ${RESERVED_PREFIX} are the channel's.`,
  )
}

/** The seed's order of arguments, (publicToken, name, contents), must not become a broadcast. */
function checkOptions(options: unknown): void {
  const isObject = typeof options === 'object' && options !== null && !Array.isArray(options)
  const unknown = isObject ? Object.keys(options).find((key) => !KEYS.includes(key)) : undefined
  if (isObject && unknown === undefined) return
  const given = isObject ? `the key '${unknown}'` : JSON.stringify(options)
  throw new TypeError(
    `sendMessage(name, contents, options): options must be an object with ${KEYS.join(', ')}, not ${given}.`,
  )
}

function serialize(contents: unknown, maxBytes: number): string {
  if (contents instanceof Promise) {
    throw new TypeError('The contents of a message must be JSON, not a promise: await it first.')
  }
  const json = contents === undefined ? 'null' : JSON.stringify(contents)
  if (json === undefined)
    throw new TypeError(`The contents of a message must be JSON, not a ${typeof contents}.`)
  // To count the bytes of each would take longer than all else of most.
  if (json.length * MAX_BYTES_OF_UNIT <= maxBytes) return json
  const bytes = Buffer.byteLength(json)
  if (bytes <= maxBytes) return json
  const text = `The contents take ${bytes} bytes of JSON; the channel takes ${maxBytes}. Send less, or raise maxMessageBytes.`
  throw new CometException('COMET_MESSAGE_IS_TOO_LARGE', text)
}
