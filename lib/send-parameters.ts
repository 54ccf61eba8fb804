import { CometException } from './comet-exception.ts'
import type { SendOperation } from './comet-state-provider.ts'
import { checkText } from './initialize-parameters.ts'
import { clientTopic, EVERYBODY_TOPICS } from './topics.ts'
import { RESERVED_PREFIX } from './wire.ts'

/** Whom a message is for, and how it is sent. Without `to`: everybody. */
export interface SendOptions {
  /**
   * One client by its public token, which must exist, or several, of which unknown ones are skipped; an empty list is
   * nobody.
   */
  readonly to?: string | readonly string[]
  /** Public tokens of those who are not to get it. */
  readonly except?: string | readonly string[]
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

const KEYS = ['to', 'except', 'key', 'transaction']

const NOBODY: readonly string[] = Object.freeze([])

/** What the provider is to append. Throws as `sendMessage` says. */
export function checkSend(
  name: string,
  contents: unknown,
  options: SendOptions,
  limits: SendLimits,
): SendOperation {
  checkName(name)
  checkOptions(options)
  const { to, except, key } = options
  if (key !== undefined) checkText('key', key, 128)
  const receiver = typeof to === 'string' ? { receiver: to } : undefined
  return {
    kind: 'send',
    topics: 'to' in options ? checkTokens('to', to, limits).map(clientTopic) : EVERYBODY_TOPICS,
    except: 'except' in options ? checkTokens('except', except, limits) : NOBODY,
    name,
    contents: serialize(contents, limits.maxMessageBytes),
    ...receiver,
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

/** An absent receiver is everybody, so that one that is `undefined` by mistake must not pass for absent. */
function checkTokens(key: string, tokens: unknown, { maxReceivers }: SendLimits): string[] {
  const list: readonly unknown[] = Array.isArray(tokens) ? tokens : [tokens]
  for (const token of list) {
    if (typeof token === 'string') {
      checkText(`Each public token of ${key}`, token, 128)
      continue
    }
    // Not what it is: somebody's private token may be in it.
    throw new TypeError(`sendMessage: ${key} must be a public token or a list of them, not ${kindOf(token)}.`)
  }
  if (list.length > maxReceivers) {
    throw new CometException(
      'COMET_PARAMETERS_ARE_INVALID',
      `${key} must name at most ${maxReceivers} clients.`,
    )
  }
  return [...new Set(list as readonly string[])]
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : `a value of type ${typeof value}`
}

function serialize(contents: unknown, maxBytes: number): string {
  if (contents instanceof Promise) {
    throw new TypeError('The contents of a message must be JSON, not a promise: await it first.')
  }
  const json = contents === undefined ? 'null' : JSON.stringify(contents)
  if (json === undefined)
    throw new TypeError(`The contents of a message must be JSON, not a ${typeof contents}.`)
  const bytes = Buffer.byteLength(json)
  if (bytes <= maxBytes) return json
  const text = `The contents take ${bytes} bytes of JSON; the channel takes ${maxBytes}. Send less, or raise maxMessageBytes.`
  throw new CometException('COMET_MESSAGE_IS_TOO_LARGE', text)
}
