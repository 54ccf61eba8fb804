import { describe, expect, test } from '@jest/globals'
import type { SendOperation } from '../../lib/comet-state-provider.ts'
import { checkSend, type SendOptions } from '../../lib/send-parameters.ts'

const LIMITS = { maxMessageBytes: 100, maxReceivers: 3 }

/** Options are what a caller without types may give. */
function checked(name: unknown, contents: unknown, options: unknown = {}): SendOperation {
  return checkSend(name as string, contents, options as SendOptions, LIMITS)
}

test('Without options a message is for everybody', () => {
  expect(checked('News', { a: 1 })).toEqual({
    kind: 'send',
    name: 'News',
    contents: '{"a":1}',
    topics: ['*'],
    except: [],
  })
})

describe('The order of arguments', () => {
  test('of the seed, (publicToken, name, contents), is refused: it would be a broadcast', () => {
    for (const contents of ['hello', 7, null, ['hello'], true]) {
      expect(() => checked('bob', 'ChatMessage', contents)).toThrow(TypeError)
    }
  })

  test('of the seed is refused also when the contents are an object', () => {
    expect(() => checked('bob', 'ChatMessage', { text: 'hello' })).toThrow("not the key 'text'")
    expect(() => checked('bob', 'ChatMessage', { to: 'ann', text: 'hello' })).toThrow(TypeError)
  })
})

describe('Receivers', () => {
  test('one client is one topic, and has to exist', () => {
    expect(checked('M', 1, { to: 'bob' })).toMatchObject({ topics: ['c:bob'], receiver: 'bob' })
  })

  test('several clients are several topics of one entry, each once, and need not exist', () => {
    const operation = checked('M', 1, { to: ['bob', 'ann', 'bob'] })
    expect(operation).toMatchObject({ topics: ['c:bob', 'c:ann'] })
    expect(operation).not.toHaveProperty('receiver')
  })

  test('an empty list is nobody', () => {
    expect(checked('M', 1, { to: [] }).topics).toEqual([])
  })

  test('to that is there and undefined is refused: it would be a broadcast by mistake', () => {
    for (const to of [undefined, null, 7, {}, [undefined], ['bob', null], [['bob']]]) {
      expect(() => checked('M', 1, { to })).toThrow(TypeError)
    }
  })

  test('except is one or several public tokens, each once', () => {
    expect(checked('M', 1, { except: 'bob' })).toMatchObject({ topics: ['*'], except: ['bob'] })
    expect(checked('M', 1, { to: ['a', 'b'], except: ['b', 'b'] })).toMatchObject({ except: ['b'] })
    for (const except of [undefined, null, 7, [1]])
      expect(() => checked('M', 1, { except })).toThrow(TypeError)
  })

  test('Promise 8: the number of receivers is bounded', () => {
    expect(checked('M', 1, { to: ['a', 'b', 'c'] }).topics).toHaveLength(3)
    for (const key of ['to', 'except']) {
      const refused = () => checked('M', 1, { [key]: ['a', 'b', 'c', 'd'] })
      expect(refused).toThrow(expect.objectContaining({ code: 'COMET_PARAMETERS_ARE_INVALID' }))
      expect(refused).toThrow(`${key} must name at most 3 receivers.`)
    }
  })
})

describe('Name and key', () => {
  test('a name is a text of 1 to 128 characters', () => {
    for (const name of ['', 'x'.repeat(129), 'a\ud800', 7, null, undefined, {}]) {
      expect(() => checked(name, 1)).toThrow(
        expect.objectContaining({ code: 'COMET_PARAMETERS_ARE_INVALID' }),
      )
    }
    for (const name of ['x'.repeat(128), '__proto__', 'имя', 'a"b\n'])
      expect(checked(name, 1).name).toBe(name)
  })

  test('names of the channel’s own cannot be sent by the app', () => {
    for (const name of ['aspNetComet.timeout', 'aspNetComet.', 'aspNetComet.anything']) {
      expect(() => checked(name, 1)).toThrow(
        expect.objectContaining({ code: 'COMET_PARAMETERS_ARE_INVALID' }),
      )
    }
    expect(checked('aspNetCometic', 1).name).toBe('aspNetCometic')
  })

  test('a key is a text of 1 to 128 characters', () => {
    expect(checked('M', 1, { key: 'k1' }).key).toBe('k1')
    expect(checked('M', 1, { key: undefined })).not.toHaveProperty('key')
    for (const key of ['', 'x'.repeat(129), 7, null]) {
      expect(() => checked('M', 1, { key })).toThrow(
        expect.objectContaining({ code: 'COMET_PARAMETERS_ARE_INVALID' }),
      )
    }
  })
})

describe('Contents', () => {
  test('are serialised once, when they are sent', () => {
    const contents = { text: 'hello' }
    const operation = checked('M', contents)
    contents.text = 'changed'
    expect(operation.contents).toBe('{"text":"hello"}')
  })

  test('undefined is null; what is no JSON is a programming mistake', () => {
    expect(checked('M', undefined).contents).toBe('null')
    const circular: Record<string, unknown> = {}
    circular.self = circular
    for (const contents of [() => 1, Symbol('no'), 10n, circular]) {
      expect(() => checked('M', contents)).toThrow(TypeError)
    }
  })

  test('Row 33: contents over the limit are refused, in bytes and not characters', () => {
    expect(checked('M', 'x'.repeat(98)).contents).toHaveLength(100)
    for (const contents of ['x'.repeat(99), 'щ'.repeat(50)]) {
      expect(() => checked('M', contents)).toThrow(
        expect.objectContaining({ code: 'COMET_MESSAGE_IS_TOO_LARGE', status: 413 }),
      )
    }
  })
})
