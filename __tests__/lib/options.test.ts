import { describe, expect, test } from '@jest/globals'
import { CometStateManager } from 'koa-comet'
import { InProcCometStateProvider } from 'koa-comet/providers/in-proc'
import { completeOptions } from '../../lib/complete-options.ts'
import { type CometOptions, DEFAULTS } from '../../lib/options.ts'

/** What is given by a caller without types. */
const options = (given: unknown): CometOptions => given as CometOptions

const SECONDS = [
  'connectionTimeoutSeconds',
  'connectionIdleSeconds',
  'providerTimeoutSeconds',
  'handlerTimeoutSeconds',
] as const
const COUNTS = [
  'maxClients',
  'maxClientsPerUser',
  'maxGroupsPerClient',
  'maxHeldRequests',
  'maxMessageBytes',
  'maxAnswerBytes',
  'maxReceivers',
  'maxRequestsPerSecond',
  'maxUpstreamBytes',
  'maxQueuedBytes',
  'maxQueuedOperations',
] as const

const NO_SECONDS = [
  0,
  -1,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  2 ** 31 / 1000,
  90_000_000,
  '25',
  null,
  true,
  {},
]
const NO_COUNTS = [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '10', null, true, 10n]

test('Without options every default is taken, and undefined is the default', () => {
  expect(completeOptions({})).toEqual(DEFAULTS)
  const undefinedOptions = Object.fromEntries(Object.keys(DEFAULTS).map((key) => [key, undefined]))
  expect(completeOptions(options(undefinedOptions))).toEqual(DEFAULTS)
})

test('What is given is taken, and the rest of the retention is the default', () => {
  const complete = completeOptions({ name: 'chat', maxClients: 7, retention: { seconds: 5 } })
  expect(complete).toEqual({
    ...DEFAULTS,
    name: 'chat',
    maxClients: 7,
    retention: { ...DEFAULTS.retention, seconds: 5 },
  })
})

test('An option that does not exist is refused by name, also one that every object has', () => {
  for (const key of ['connectionTimeout', 'Name', 'toString', 'constructor']) {
    expect(() => completeOptions(options({ [key]: 1 }))).toThrow(new RegExp(`^Unknown option '${key}'`))
  }
  expect(() => completeOptions(options(JSON.parse('{"__proto__": 1}')))).toThrow(TypeError)
})

describe('Row 30: durations', () => {
  test.each(SECONDS)('%s is a number of seconds that a timer can be set for', (key) => {
    for (const value of NO_SECONDS)
      expect(() => completeOptions(options({ [key]: value }))).toThrow(RangeError)
    const longest = key === 'connectionTimeoutSeconds' ? 86_400 : 2_147_483
    const most = `at most ${longest}, not ${longest + 1}.`
    expect(() => completeOptions({ [key]: longest + 1 })).toThrow(most)
    for (const value of [1, longest]) {
      expect(completeOptions({ [key]: value })).toHaveProperty(key, value)
    }
  })

  test('connectionIdleSeconds is at least 1, as for a single client', () => {
    expect(() => completeOptions({ connectionIdleSeconds: 0.5 })).toThrow('must be at least 1')
    expect(completeOptions({ connectionTimeoutSeconds: 0.001 })).toHaveProperty(
      'connectionTimeoutSeconds',
      0.001,
    )
  })

  test('retention.seconds is one as well', () => {
    for (const seconds of NO_SECONDS) {
      expect(() => completeOptions(options({ retention: { seconds } }))).toThrow('retention.seconds')
    }
  })

  test('the text says what was expected and what was got', () => {
    expect(() => completeOptions({ connectionIdleSeconds: 90_000_000 })).toThrow(
      'connectionIdleSeconds must be a number of seconds above 0 and at most 2147483, not 90000000.',
    )
  })
})

describe('Limits', () => {
  test.each(COUNTS)('%s is a whole number above 0', (key) => {
    for (const value of NO_COUNTS)
      expect(() => completeOptions(options({ [key]: value }))).toThrow(RangeError)
    expect(completeOptions({ [key]: 1 })).toHaveProperty(key, 1)
  })

  test('Promise 8: every limit has a documented default', () => {
    const limits = Object.entries(DEFAULTS).filter(([key]) => key.startsWith('max'))
    expect(limits.map(([key]) => key).sort()).toEqual([...COUNTS].sort())
    for (const [, value] of limits) expect(Number.isSafeInteger(value)).toBe(true)
  })

  test.each(['messages', 'bytes'])('retention.%s is a whole number above 0', (key) => {
    for (const value of NO_COUNTS) {
      expect(() => completeOptions(options({ retention: { [key]: value } }))).toThrow(`retention.${key}`)
    }
  })
})

describe('The other options', () => {
  test('a name is 1 to 64 characters that any store can take', () => {
    for (const name of ['', 'a b', 'ä', 'a'.repeat(65), '../x', null, 7]) {
      expect(() => completeOptions(options({ name }))).toThrow(TypeError)
    }
    expect(completeOptions({ name: 'A-z_9' }).name).toBe('A-z_9')
  })

  test.each(['register', 'identify'])('%s is a function, or null to switch it off', (key) => {
    for (const value of [true, 'no', {}, 1])
      expect(() => completeOptions(options({ [key]: value }))).toThrow(TypeError)
    const given = (): null => null
    expect(completeOptions({ [key]: given })).toHaveProperty(key, given)
    expect(completeOptions({ [key]: null })).toHaveProperty(key, null)
  })

  test('origins are origins as a browser spells them: no path, no wildcard, no bare host', () => {
    for (const origin of ['*', 'https://app.example/', 'https://APP.example', 'app.example', 'null', '', 7]) {
      expect(() => completeOptions(options({ origins: [origin] }))).toThrow(TypeError)
    }
    expect(() => completeOptions(options({ origins: 'https://app.example' }))).toThrow(TypeError)
    const origins = ['https://app.example', 'http://localhost:8080']
    expect(completeOptions({ origins }).origins).toEqual(origins)
  })

  test('clientScript is true or false', () => {
    for (const clientScript of [null, 'no', 0]) {
      expect(() => completeOptions(options({ clientScript }))).toThrow(TypeError)
    }
    expect(completeOptions({ clientScript: false }).clientScript).toBe(false)
  })

  test('retention is an object of known keys', () => {
    for (const retention of [null, 600, 'long', [1]]) {
      expect(() => completeOptions(options({ retention }))).toThrow(TypeError)
    }
    expect(() => completeOptions(options({ retention: { second: 5 } }))).toThrow("'retention.second'")
    expect(completeOptions(options({ retention: { seconds: undefined } })).retention).toEqual(
      DEFAULTS.retention,
    )
  })
})

test('A manager refuses wrong options at once, and a first argument that is no provider', () => {
  expect(() => new CometStateManager(new InProcCometStateProvider(), options({ maxClient: 1 }))).toThrow(
    TypeError,
  )
  for (const provider of [undefined, null, {}, { name: 'chat' }]) {
    expect(() => new CometStateManager(provider as unknown as InProcCometStateProvider)).toThrow(TypeError)
  }
})
