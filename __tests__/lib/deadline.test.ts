import { expect, jest, test } from '@jest/globals'
import { CometException } from '../../lib/comet-exception.ts'
import { eachWithDeadline, withDeadline } from '../../lib/deadline.ts'

test('An answer in time is passed on, and no timer is left', async () => {
  jest.useFakeTimers()
  try {
    const asking = withDeadline(1000, 'append', async () => 42)
    expect(jest.getTimerCount()).toBe(1)
    expect(await asking).toBe(42)
    expect(jest.getTimerCount()).toBe(0)
  } finally {
    jest.useRealTimers()
  }
})

test('A failure becomes an exception with the cause and what was asked', async () => {
  const cause = new Error('no such table')
  const failing = withDeadline(1000, 'getClient', () => Promise.reject(cause))
  await expect(failing).rejects.toMatchObject({ code: 'COMET_PROVIDER_IS_UNAVAILABLE', status: 503, cause })
  await expect(failing).rejects.toThrow('getClient: no such table')
})

test('What is thrown at once, or is no error, is a failure like any other', async () => {
  const throwing = withDeadline(1000, 'append', () => {
    throw new TypeError('not open')
  })
  await expect(throwing).rejects.toBeInstanceOf(CometException)
  await expect(withDeadline(1000, 'append', () => Promise.reject('a text'))).rejects.toThrow('append: a text')
})

test.each([
  ['an error whose message is no text', Object.assign(new Error(), { message: { code: 7 } })],
  ['an object that is no text', Object.create(null)],
])(
  '%s is a failure like any other, in time or late',
  async (_, cause) => {
    await expect(withDeadline(1000, 'append', () => Promise.reject(cause))).rejects.toMatchObject({
      code: 'COMET_PROVIDER_IS_UNAVAILABLE',
      cause,
    })
    let rejectLate = (_: unknown): void => undefined
    const ended = new Promise<void>((resolve) => {
      const hanging = withDeadline(
        0.01,
        'append',
        () => new Promise<void>((_, reject) => (rejectLate = reject)),
        resolve,
      )
      hanging.catch(() => rejectLate(cause))
    })
    await ended
    await new Promise(setImmediate)
  },
  5000,
)

test('Row 19: no answer is a failure when the time is up, and a late rejection harms nobody', async () => {
  let rejectLate = (_: Error): void => undefined
  const hanging = withDeadline(0.01, 'catchUp', () => new Promise<void>((_, reject) => (rejectLate = reject)))
  await expect(hanging).rejects.toThrow('catchUp: no answer within 0.01 s')
  rejectLate(new Error('too late'))
  await new Promise(setImmediate)
})

test('Each thing of a list is waited for as long, and a list that hangs or fails is a failure', async () => {
  const listed: number[] = []
  const list = async (rest: () => Promise<never>): Promise<void> => {
    const things = eachWithDeadline(0.02, 'getClients', async function* () {
      yield 1
      yield 2
      await rest()
    })
    for await (const thing of things) listed.push(thing)
  }
  await expect(list(() => new Promise(() => {}))).rejects.toThrow('getClients: no answer within 0.02 s')
  const failed = { code: 'COMET_PROVIDER_IS_UNAVAILABLE' }
  await expect(list(() => Promise.reject(new Error('gone')))).rejects.toMatchObject(failed)
  expect(listed).toEqual([1, 2, 1, 2])
})

test('Who leaves a list early ends it', async () => {
  let isEnded = false
  const things = eachWithDeadline(1, 'getClients', async function* () {
    try {
      yield* [1, 2, 3]
    } finally {
      isEnded = true
    }
  })
  for await (const thing of things) if (thing === 2) break
  await new Promise(setImmediate)
  expect(isEnded).toBe(true)
})

test('A list that has come to its end is not ended again', async () => {
  let isEnded = false
  const list = {
    [Symbol.asyncIterator]: () => ({
      next: async () => ({ done: true as const, value: undefined }),
      return: async () => {
        isEnded = true
        return { done: true as const, value: undefined }
      },
    }),
  }
  for await (const thing of eachWithDeadline(1, 'getClients', () => list)) throw thing
  await new Promise(setImmediate)
  expect(isEnded).toBe(false)
})
