import { describe, expect, test } from '@jest/globals'
import { CometException } from '../../lib/comet-exception.ts'
import {
  type CheckedParameters,
  checkParameters,
  type InitializeParameters,
} from '../../lib/initialize-parameters.ts'

const TIMEOUTS = { connectionTimeoutSeconds: 25, connectionIdleSeconds: 90 }
const DEFAULTS = { ...TIMEOUTS, maxGroupsPerClient: 3 }
const PRIVATE_TOKEN = 'x1Y2z3'.repeat(5)

/** What is given by a caller without types. */
function checked(given: Record<string, unknown>): CheckedParameters {
  const parameters = { publicToken: 'ann', ...given } as unknown as InitializeParameters
  return checkParameters(parameters, DEFAULTS)
}

function refusal(given: Record<string, unknown>): unknown {
  try {
    checked(given)
  } catch (error) {
    return error
  }
  return 'not refused'
}

function expectRefused(field: string, values: readonly unknown[]): void {
  for (const value of values) {
    const error = refusal({ [field]: value })
    expect(error).toBeInstanceOf(CometException)
    expect(error).toMatchObject({ code: 'COMET_PARAMETERS_ARE_INVALID', status: 400 })
    expect((error as Error).message).toContain(field)
  }
}

const NO_TEXTS = ['', null, 7, {}, ['ann'], true, 'a\ud800b', '\udfff']

test('From a public token alone all the rest is filled in', () => {
  const { client, privateToken, from } = checked({})
  expect(client).toEqual({
    publicToken: 'ann',
    displayName: 'ann',
    groups: [],
    data: null,
    ...TIMEOUTS,
  })
  expect(privateToken).toMatch(/^[A-Za-z0-9_-]{43}$/)
  expect(from).toBeUndefined()
})

test('A private token that is not given is new each time', () => {
  const tokens = new Set(Array.from({ length: 1000 }, () => checked({}).privateToken))
  expect(tokens.size).toBe(1000)
})

test('undefined is the same as absent, in every field but the public token', () => {
  const fields = [
    'privateToken',
    'displayName',
    'connectionTimeoutSeconds',
    'connectionIdleSeconds',
    'userId',
    'sessionId',
    'data',
    'from',
  ]
  const absent = checked({ ...Object.fromEntries(fields.map((field) => [field, undefined])) })
  expect(absent.client).toEqual(checked({}).client)
  expectRefused('publicToken', [undefined])
})

test('A field that does not exist is a programming mistake', () => {
  for (const field of ['group', 'token', 'toString']) {
    expect(refusal({ [field]: 'x' })).toBeInstanceOf(TypeError)
  }
})

describe('Texts', () => {
  test.each([
    ['publicToken', 128],
    ['displayName', 256],
    ['userId', 256],
    ['sessionId', 256],
  ])('%s is a text of 1 to %i characters without lone surrogates', (field, maxLength) => {
    expectRefused(field, [...NO_TEXTS, 'x'.repeat(maxLength + 1)])
    for (const value of ['x'.repeat(maxLength), 'щ', '\u{1f600}', '<b>&"\'', '__proto__', ' ']) {
      expect(checked({ [field]: value }).client).toHaveProperty(field, value)
    }
  })
})

describe('The private token', () => {
  test('is 22 to 256 visible ASCII characters, so at least 128 bits where they are random', () => {
    expectRefused('privateToken', [
      'x'.repeat(21),
      'x'.repeat(257),
      `${PRIVATE_TOKEN} `,
      `${PRIVATE_TOKEN}\n`,
    ])
    expectRefused('privateToken', [`${PRIVATE_TOKEN}щ`, '', null, 7, {}, [PRIVATE_TOKEN]])
    for (const value of ['x'.repeat(22), '~'.repeat(256), PRIVATE_TOKEN]) {
      expect(checked({ privateToken: value }).privateToken).toBe(value)
    }
  })

  test('is neither the public token nor contains it', () => {
    const error = { code: 'COMET_PARAMETERS_ARE_INVALID' }
    expect(refusal({ publicToken: PRIVATE_TOKEN, privateToken: PRIVATE_TOKEN })).toMatchObject(error)
    const derived = 'user-4711-secret-secret-secret'
    expect(refusal({ publicToken: 'user-4711', privateToken: derived })).toMatchObject(error)
    expect(checked({ publicToken: 'x', privateToken: PRIVATE_TOKEN }).privateToken).toBe(PRIVATE_TOKEN)
  })

  test('is in no error text', () => {
    const secret = 'a secret with blanks in it'
    expect((refusal({ privateToken: secret }) as Error).message).not.toContain(secret)
  })
})

describe('Row 30: the two timeouts', () => {
  test.each(['connectionTimeoutSeconds', 'connectionIdleSeconds'])(
    '%s is one that a timer can be set for',
    (field) => {
      expectRefused(field, [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31 / 1000, '5', null])
      const longest = field === 'connectionTimeoutSeconds' ? 86_400 : 2_147_483
      expectRefused(field, [longest + 1])
      expect(checked({ [field]: longest }).client).toHaveProperty(field, longest)
    },
  )

  test('the idle time is at least one second; the seed’s 5 and 5 are fine', () => {
    expectRefused('connectionIdleSeconds', [0.5, 0.999])
    const seed = { connectionTimeoutSeconds: 5, connectionIdleSeconds: 5 }
    expect(checked(seed).client).toMatchObject(seed)
  })
})

describe('Data', () => {
  test('is a copy: what the caller changes afterwards is not in it', () => {
    const data = { colours: ['red'] }
    const { client } = checked({ data })
    data.colours.push('blue')
    expect(client.data).toEqual({ colours: ['red'] })
  })

  test('is any JSON value of at most 4,096 bytes', () => {
    for (const data of [null, 0, '', false, [], {}, 'x'.repeat(4094)])
      expect(checked({ data }).client.data).toEqual(data)
    expectRefused('data', ['x'.repeat(4095), 'щ'.repeat(2048), () => 1, Symbol('no')])
  })

  test('that JSON throws at is a programming mistake', () => {
    const circular: Record<string, unknown> = {}
    circular.self = circular
    for (const data of [circular, 10n]) expect(refusal({ data })).toBeInstanceOf(TypeError)
  })
})

describe('From', () => {
  test('is a cursor as the channel gives it, and only that is taken of it', () => {
    expect(checked({ from: { epoch: 'e1', messageId: 41, more: 1 } }).from).toEqual({
      epoch: 'e1',
      messageId: 41,
    })
    expectRefused('from', ['e1:41', null, 41, {}, { epoch: 'e1' }, { epoch: 1, messageId: 1 }])
    expectRefused('from', [
      { epoch: 'e1', messageId: 1.5 },
      { epoch: 'e1', messageId: Number.NaN },
      { epoch: 'e1', messageId: '41' },
      { epoch: 'e1', messageId: -1 },
    ])
  })
})
