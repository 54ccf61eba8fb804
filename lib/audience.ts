import { checkText } from './checks.ts'
import { CometException } from './comet-exception.ts'
import { clientTopic, EVERYBODY_TOPICS, groupTopic, sessionTopic, userTopic } from './topics.ts'

/**
 * Clients of a channel: all whom one of the addresses names, each once, whatever the number of ways. Without any
 * address: everybody. An empty list names nobody, and so does a name that nobody has.
 */
export interface Audience {
  /** Clients by their public tokens. */
  readonly to?: string | readonly string[]
  /** The members of groups. */
  readonly group?: string | readonly string[]
  /** All clients of users of the app, by `userId`. */
  readonly user?: string | readonly string[]
  /** All clients of sessions of the app, by `sessionId`. */
  readonly session?: string | readonly string[]
  /** Public tokens of those who are not meant. */
  readonly except?: string | readonly string[]
}

/** An audience as entries of the log name it. */
export interface Addressed {
  readonly topics: readonly string[]
  readonly except: readonly string[]
}

/** How long names of each kind may be. */
const MAX_LENGTH = { to: 128, group: 128, user: 256, session: 256, except: 128 } as const

const TOPIC_OF = { to: clientTopic, group: canonicalTopic, user: userTopic, session: sessionTopic } as const

const ADDRESSES = Object.keys(TOPIC_OF) as (keyof typeof TOPIC_OF)[]

export const AUDIENCE_KEYS: readonly string[] = Object.keys(MAX_LENGTH)

const NOBODY: readonly string[] = Object.freeze([])

/**
 * Checks whom somebody means.
 * @param what who asks, for the text of an error
 * @throws TypeError for what is no text or list of texts; COMET_PARAMETERS_ARE_INVALID for a text that cannot be a name,
 *   and for more than `maxReceivers` of them
 */
export function checkAudience(what: string, audience: Audience, maxReceivers: number): Addressed {
  const except = 'except' in audience ? checkNames(what, 'except', audience.except, maxReceivers) : NOBODY
  let topics: readonly string[] | undefined
  for (const kind of ADDRESSES) {
    if (!(kind in audience)) continue
    const names = checkNames(what, kind, audience[kind], maxReceivers)
    const more = names.map(TOPIC_OF[kind])
    topics = topics ? [...topics, ...more] : more
  }
  if (topics === undefined) return { topics: EVERYBODY_TOPICS, except }
  if (topics.length > maxReceivers) throw tooMany('An audience', maxReceivers)
  return { topics: distinct(topics), except }
}

/** An audience that is given on its own. Throws a TypeError for anything but an object with its keys, else as above. */
export function checkOnlyAudience(what: string, audience: Audience, maxReceivers: number): Addressed {
  const isObject = typeof audience === 'object' && audience !== null && !Array.isArray(audience)
  const unknown = isObject ? Object.keys(audience).find((key) => !AUDIENCE_KEYS.includes(key)) : undefined
  if (isObject && unknown === undefined) return checkAudience(what, audience, maxReceivers)
  const given = isObject ? `the key '${unknown}'` : kindOf(audience)
  throw new TypeError(`${what}: an audience is an object with ${AUDIENCE_KEYS.join(', ')}, not ${given}.`)
}

/**
 * A group's name: any text of 1 to 128 characters. Texts that Unicode holds for the same (NFC) are one name, wherever
 * it is given.
 * @throws COMET_PARAMETERS_ARE_INVALID
 */
export function checkGroup(name: unknown): string {
  checkText('The name of a group', name, MAX_LENGTH.group)
  const canonical = name.normalize('NFC')
  // The canonical form of a few characters is longer.
  checkText('The name of a group', canonical, MAX_LENGTH.group)
  return canonical
}

function canonicalTopic(group: string): string {
  return groupTopic(checkGroup(group))
}

/** An absent address is everybody, so that one that is `undefined` by mistake must not pass for absent. */
function checkNames(
  what: string,
  kind: keyof Audience,
  names: unknown,
  maxReceivers: number,
): readonly string[] {
  // A copy: the app may change its list while this waits.
  const list: readonly unknown[] = Array.isArray(names) ? [...names] : [names]
  for (const name of list) {
    if (typeof name === 'string') {
      checkText(`Each name of ${kind}`, name, MAX_LENGTH[kind])
      continue
    }
    // Not what it is: somebody's private token may be in it.
    throw new TypeError(`${what}: ${kind} must be a text or a list of texts, not ${kindOf(name)}.`)
  }
  if (list.length > maxReceivers) throw tooMany(kind, maxReceivers)
  return distinct(list as readonly string[])
}

/** Most messages have one address. */
function distinct(names: readonly string[]): readonly string[] {
  return names.length < 2 ? names : [...new Set(names)]
}

function tooMany(kinds: string, maxReceivers: number): CometException {
  const text = `${kinds} must name at most ${maxReceivers} receivers.`
  return new CometException('COMET_PARAMETERS_ARE_INVALID', text)
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : `a value of type ${typeof value}`
}
