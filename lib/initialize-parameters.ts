import { checkGroup } from './audience.ts'
import { check, checkText } from './checks.ts'
import type { NewCometClient } from './comet-client.ts'
import { CometException, tooManyGroupsText } from './comet-exception.ts'
import type { UpdateOperation } from './comet-state-provider.ts'
import type { Cursor } from './cursor.ts'
import { MIN_PRIVATE_TOKEN_LENGTH, randomToken } from './private-token.ts'
import { isSeconds, MAX_HOLD_SECONDS, MAX_SECONDS } from './seconds.ts'

/** What `initializeClient` is told of a new client. */
export interface InitializeParameters {
  /** The client's address for others: 1 to 128 characters. */
  readonly publicToken: string
  /**
   * The secret by which its page receives: 22 to 256 visible ASCII characters, which is 128 bits and more where they
   * are random. Default: 32 random bytes.
   */
  readonly privateToken?: string | undefined
  /** 1 to 256 characters. Default: the public token. */
  readonly displayName?: string | undefined
  /** At most 86,400. Default: the channel's. */
  readonly connectionTimeoutSeconds?: number | undefined
  /** At least 1. Default: the channel's. */
  readonly connectionIdleSeconds?: number | undefined
  /** The principal it is bound to when the option `identify` is set: 1 to 256 characters. */
  readonly userId?: string | undefined
  /** The app's session it belongs to: 1 to 256 characters. */
  readonly sessionId?: string | undefined
  /** The groups it is a member of from the start, as of where it starts to read. Default none. */
  readonly groups?: readonly string[] | undefined
  /** What others may see of it: any JSON value of at most 4,096 bytes. Default `null`. */
  readonly data?: unknown
  /** Where to start reading, as `cursor()` gave it when the page was rendered. Default: now. */
  readonly from?: Cursor | undefined
}

const KEYS = new Set([
  'publicToken',
  'privateToken',
  'displayName',
  'connectionTimeoutSeconds',
  'connectionIdleSeconds',
  'userId',
  'sessionId',
  'groups',
  'data',
  'from',
])

const MAX_DATA_BYTES = 4096

/** Base64url of 16 bytes, the least that 128 bits take. */
const PRIVATE_TOKEN = new RegExp(`^[\\x21-\\x7e]{${MIN_PRIVATE_TOKEN_LENGTH},256}$`)

export interface CheckedParameters {
  readonly client: NewCometClient
  readonly privateToken: string
  readonly from: Cursor | undefined
}

/** What the channel says where a client does not, and how many groups it may have. */
export interface InitializeDefaults {
  readonly connectionTimeoutSeconds: number
  readonly connectionIdleSeconds: number
  readonly maxGroupsPerClient: number
}

/** Checks every field and fills in the rest. Throws `COMET_PARAMETERS_ARE_INVALID`, or a TypeError for unknown keys. */
export function checkParameters(
  parameters: InitializeParameters,
  defaults: InitializeDefaults,
): CheckedParameters {
  if (typeof parameters !== 'object' || parameters === null) {
    const given = JSON.stringify(parameters)
    throw new TypeError(`initializeClient takes one object: { publicToken, displayName, … }, not ${given}.`)
  }
  for (const key of Object.keys(parameters)) {
    if (!KEYS.has(key)) throw new TypeError(`Unknown parameter '${key}'. They are: ${[...KEYS].join(', ')}.`)
  }
  const {
    publicToken,
    privateToken = randomToken(),
    displayName = publicToken,
    userId,
    sessionId,
  } = parameters
  const { connectionTimeoutSeconds = defaults.connectionTimeoutSeconds } = parameters
  const { connectionIdleSeconds = defaults.connectionIdleSeconds } = parameters
  checkText('publicToken', publicToken, 128)
  checkPrivateToken(privateToken, publicToken)
  checkText('displayName', displayName, 256)
  if (userId !== undefined) checkText('userId', userId, 256)
  if (sessionId !== undefined) checkText('sessionId', sessionId, 256)
  check(
    isSeconds(connectionTimeoutSeconds) && connectionTimeoutSeconds <= MAX_HOLD_SECONDS,
    'connectionTimeoutSeconds',
    `a number of seconds above 0 and at most ${MAX_HOLD_SECONDS}`,
  )
  check(
    isSeconds(connectionIdleSeconds) && connectionIdleSeconds >= 1,
    'connectionIdleSeconds',
    `a number of seconds of at least 1 and at most ${MAX_SECONDS}`,
  )
  return {
    client: {
      publicToken,
      displayName,
      ...(userId !== undefined && { userId }),
      ...(sessionId !== undefined && { sessionId }),
      groups: checkedGroups(parameters.groups, defaults.maxGroupsPerClient),
      data: checkedData(parameters.data),
      connectionTimeoutSeconds,
      connectionIdleSeconds,
    },
    privateToken,
    from: checkedFrom(parameters.from),
  }
}

/** What others may know is random; what is secret is never derived from it. */
function checkPrivateToken(privateToken: unknown, publicToken: string): void {
  check(
    typeof privateToken === 'string' && PRIVATE_TOKEN.test(privateToken),
    'privateToken',
    '22 to 256 visible ASCII characters (at least 128 random bits), or absent for a random one',
  )
  const derived =
    privateToken === publicToken || (publicToken.length >= 8 && privateToken.includes(publicToken))
  check(!derived, 'privateToken', 'independent of publicToken: who knows the one must not guess the other')
}

function checkedGroups(groups: readonly string[] = [], maxGroups: number): string[] {
  check(Array.isArray(groups), 'groups', 'a list of names')
  const names = [...new Set(groups.map(checkGroup))]
  if (names.length <= maxGroups) return names
  throw new CometException('COMET_CLIENT_HAS_TOO_MANY_GROUPS', tooManyGroupsText(maxGroups))
}

/** What may be changed of a client. What is absent or undefined stays as it is. */
export interface UpdateParameters {
  /** 1 to 256 characters. */
  readonly displayName?: string | undefined
  /** Any JSON value of at most 4,096 bytes. */
  readonly data?: unknown
}

/** Checks what is to be changed. Throws as {@link checkParameters} does. */
export function checkUpdate(parameters: UpdateParameters): Pick<UpdateOperation, 'displayName' | 'data'> {
  const { displayName, data, ...others } = Object(parameters) as UpdateParameters
  const [unknown] = Object.keys(others)
  if (typeof parameters !== 'object' || parameters === null || unknown !== undefined) {
    throw new TypeError('updateClient takes a public token and an object with displayName, data, or both.')
  }
  if (displayName !== undefined) checkText('displayName', displayName, 256)
  return {
    ...(displayName !== undefined && { displayName }),
    ...(data !== undefined && { data: checkedData(data) }),
  }
}

/** A frozen copy: who is shown it cannot change what others are shown. */
function checkedData(data: unknown): unknown {
  const json = data === undefined ? 'null' : JSON.stringify(data)
  check(
    json !== undefined && Buffer.byteLength(json) <= MAX_DATA_BYTES,
    'data',
    `a JSON value of at most ${MAX_DATA_BYTES} bytes`,
  )
  return JSON.parse(json, (_key, value: unknown) => Object.freeze(value))
}

function checkedFrom(from: Cursor | undefined): Cursor | undefined {
  if (from === undefined) return undefined
  const isCursor =
    typeof from?.epoch === 'string' && Number.isSafeInteger(from.messageId) && from.messageId >= 0
  check(isCursor, 'from', 'a cursor { epoch, messageId } as channel.cursor() gives it')
  return { epoch: from.epoch, messageId: from.messageId }
}
