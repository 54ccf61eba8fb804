import { describe, expect, test } from '@jest/globals'
import { CometChannel, type CometChannelOptions } from '../../client/index.ts'

const URL_OF_CHANNEL = 'http://127.0.0.1:1/comet'

/** What JavaScript can pass and TypeScript would not. */
function construct(...given: unknown[]): CometChannel {
  return Reflect.construct(CometChannel, given)
}

describe('arguments that are not as described are refused with a TypeError that says what was expected and what was got', () => {
  test.each<[string, unknown[], RegExp]>([
    ['a token with a space', [URL_OF_CHANNEL, 'a b'], /privateToken must be visible ASCII.*got string/],
    ['an empty token', [URL_OF_CHANNEL, ''], /privateToken must be/],
    ['a number for a token', [URL_OF_CHANNEL, 42], /privateToken must be.*got number/],
    ['a number for the alias', [URL_OF_CHANNEL, null, 42], /alias must be a string, got number/],
    [
      'an unknown option',
      [URL_OF_CHANNEL, null, 'a', { fetsh: fetch }],
      /option must be one of fetch,headers,.*got fetsh/,
    ],
    [
      'an option named as what every object has',
      [URL_OF_CHANNEL, null, 'a', { toString: 1 }],
      /option must be one of.*got toString/,
    ],
    [
      'a fetch that is none',
      [URL_OF_CHANNEL, null, 'a', { fetch: 'fetch' }],
      /fetch must be a function, got string/,
    ],
    [
      'headers that are no function',
      [URL_OF_CHANNEL, null, 'a', { headers: {} }],
      /headers must be a function, got object/,
    ],
    [
      'seconds in a string',
      [URL_OF_CHANNEL, null, 'a', { connectionTimeoutSeconds: '25' }],
      /must be a number, got string/,
    ],
    ['no seconds', [URL_OF_CHANNEL, null, 'a', { connectionTimeoutSeconds: 0 }], /above 0.*got 0/],
    [
      'NaN seconds',
      [URL_OF_CHANNEL, null, 'a', { connectionTimeoutSeconds: Number.NaN }],
      /above 0.*got NaN/,
    ],
    [
      'seconds of more than a day',
      [URL_OF_CHANNEL, null, 'a', { connectionTimeoutSeconds: 86_401 }],
      /above 0, at most 86400, got 86401/,
    ],
    [
      'more seconds than a timer can wait',
      [URL_OF_CHANNEL, null, 'a', { connectionTimeoutSeconds: 3e6 }],
      /above 0.*got 3000000/,
    ],
    ['no transport', [URL_OF_CHANNEL, null, 'a', { transports: [] }], /transports must be of streaming,/],
    [
      'a transport that there is not',
      [URL_OF_CHANNEL, null, 'a', { transports: ['streaming', 'pigeon'] }],
      /transports must be of streaming,long-polling, got streaming,pigeon/,
    ],
    [
      'a transport that is not in an array',
      [URL_OF_CHANNEL, null, 'a', { transports: 'streaming' }],
      /transports must be an array, got string/,
    ],
  ])('%s', (_what, given, text) => {
    expect(() => construct(...given)).toThrow(TypeError)
    expect(() => construct(...given)).toThrow(text)
  })

  test('a relative URL outside of a browser: by the platform itself', () => {
    const error = expect.objectContaining({
      name: 'TypeError',
      message: expect.stringMatching(/URL.*\/comet/),
    })
    expect(() => construct('/comet')).toThrow(error as never)
  })

  test('the error for a token does not show it', () => {
    expect(() => construct(URL_OF_CHANNEL, 'secret token')).not.toThrow(/secret/)
  })

  test.each(['addSuccessHandler', 'addFailureHandler', 'addTimeoutHandler'] as const)(
    '%s without a function',
    (method) => {
      const channel = construct(URL_OF_CHANNEL)
      expect(() => Reflect.apply(channel[method], channel, ['text'])).toThrow(
        /handler must be a function, got string/,
      )
    },
  )

  test('on() without a function', () => {
    const channel = construct(URL_OF_CHANNEL)
    expect(() => Reflect.apply(channel.on, channel, ['News'])).toThrow(
      /handler must be a function, got undefined/,
    )
  })
})

test('undefined is the default of each argument and option', () => {
  const options: CometChannelOptions = {
    fetch: undefined,
    headers: undefined,
    credentials: undefined,
    signal: undefined,
    storage: undefined,
    log: undefined,
    connectionTimeoutSeconds: undefined,
    transports: undefined,
  }
  const channel = new CometChannel(new URL(URL_OF_CHANNEL), undefined, undefined, options)
  expect(channel).toMatchObject({ alias: 'default', state: 'disconnected', transport: 'streaming' })
  for (const unknown of ['cursor', 'privateToken', 'publicToken', 'displayName'] as const) {
    expect(channel[unknown]).toBeUndefined()
  }
})
