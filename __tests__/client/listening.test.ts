import { describe, expect, jest, test } from '@jest/globals'
import {
  connect,
  expectNoRequest,
  message,
  openPage,
  openSilentPage,
  TOKEN,
  theServer,
  useServer,
} from './harness.ts'

useServer()

describe('handlers', () => {
  test('of all kinds are called in the order of their adding, and not once they are taken away', async () => {
    const { channel } = openSilentPage(TOKEN)
    const calls: string[] = []
    channel.addSuccessHandler(() => calls.push('first'))
    const unlisten = channel.on('News', () => calls.push('second'))
    channel.addSuccessHandler(() => calls.push('third'))
    channel.on('Other', () => calls.push('other'))
    channel.subscribe()
    ;(await connect()).messages('e1:11', [message(11)])
    const next = await theServer().next()
    expect(calls).toEqual(['first', 'second', 'third'])
    unlisten()
    next.messages('e1:12', [message(12)])
    await theServer().next()
    expect(calls.slice(3)).toEqual(['first', 'third'])
  })

  test('that another takes away during a message do not get it; that another adds wait for the next', async () => {
    const { channel } = openSilentPage(TOKEN)
    const calls: string[] = []
    channel.addSuccessHandler(() => {
      calls.push('first')
      unlisten()
      channel.on('News', (_contents, { mid }) => calls.push(`added for ${mid}`))
    })
    const unlisten = channel.addSuccessHandler(() => calls.push('never'))
    channel.subscribe()
    ;(await connect()).messages('e1:12', [message(11), message(12)])
    await theServer().next()
    expect(calls).toEqual(['first', 'first', 'added for 12'])
  })

  test('on() gets the contents, then the message', async () => {
    const { channel } = openSilentPage(TOKEN)
    const calls: unknown[] = []
    channel.on('News', (...details) => calls.push(details))
    channel.subscribe()
    ;(await connect()).messages('e1:12', [message(11, 'Other'), message(12)])
    await theServer().next()
    expect(calls).toEqual([[{ text: 'contents of 12' }, message(12)]])
  })

  test.each([
    [
      'throws',
      () => {
        throw new Error('bug')
      },
    ],
    ['rejects', () => Promise.reject(new Error('bug'))],
  ])(
    'one that %s harms nobody: others have the message, the loop goes on, the error is told',
    async (_what, fail) => {
      const { channel, messages, failures } = openSilentPage(TOKEN)
      const reported = jest.spyOn(console, 'error').mockImplementation(() => {})
      const errors: unknown[] = []
      channel.addEventListener('error', (event) => {
        event.preventDefault()
        errors.push(event.detail)
      })
      channel.addSuccessHandler(fail)
      channel.addSuccessHandler((_token, _alias, each) => messages.push(each))
      channel.subscribe()
      ;(await connect()).messages('e1:12', [message(11), message(12)])
      expect((await theServer().next()).headers['last-event-id']).toBe('e1:12')
      expect(messages.map(({ mid }) => mid)).toEqual([11, 12])
      expect(errors).toMatchObject(
        Array(2).fill({ code: 'COMET_HANDLER_FAILED', willRetry: true, cause: new Error('bug') }),
      )
      expect(failures).toEqual([])
      expect(reported).not.toHaveBeenCalled()
    },
  )

  test('of failures and timeouts that throw harm nobody either', async () => {
    jest.spyOn(console, 'error').mockImplementation(() => {})
    const { channel, until } = openPage(TOKEN)
    const bug = () => {
      throw new Error('bug')
    }
    channel.addTimeoutHandler(bug)
    channel.addFailureHandler(bug)
    channel.subscribe()
    ;(await connect()).timeout('e1:10')
    ;(await theServer().next()).error(503, 'COMET_QUEUE_IS_FULL')
    await until('failure:COMET_QUEUE_IS_FULL:true')
    ;(await theServer().next()).timeout('e1:10')
    await until('state:connected', 2)
  })

  test('what one throws is reported as uncaught unless a listener of the event error prevents it', async () => {
    const { channel } = openSilentPage(TOKEN)
    const reported = jest.spyOn(console, 'error').mockImplementation(() => {})
    const bug = new Error('bug')
    channel.addSuccessHandler(() => {
      throw bug
    })
    channel.subscribe()
    ;(await connect()).messages('e1:11', [message(11)])
    await theServer().next()
    expect(reported).toHaveBeenCalledWith(bug)
  })

  test('nothing is written to the console when all goes well', async () => {
    const spies = (['log', 'info', 'debug', 'warn', 'error'] as const).map((kind) =>
      jest.spyOn(console, kind),
    )
    const { channel } = openPage(TOKEN)
    channel.subscribe()
    ;(await connect()).messages('e1:11', [message(11)])
    ;(await theServer().next()).drop()
    await theServer().next()
    channel.unsubscribe()
    for (const spy of spies) expect(spy).not.toHaveBeenCalled()
  })

  test('the log is told what happens, and never a token', async () => {
    const told: unknown[] = []
    const { channel } = openPage(null, { log: (...details) => told.push(details) })
    channel.subscribe()
    ;(await theServer().next()).registered()
    ;(await connect()).error(503, 'COMET_QUEUE_IS_FULL')
    ;(await theServer().next()).error(401, 'COMET_TOKEN_IS_UNKNOWN')
    await theServer().next()
    const text = JSON.stringify(told)
    expect(text).toContain('connected')
    expect(text).toContain('COMET_QUEUE_IS_FULL')
    expect(text).not.toContain('private-token')
  })
})

describe('messages that nobody listens to yet', () => {
  test('wait for the first success handler, and the channel polls no further until then', async () => {
    const { channel, until } = openSilentPage(TOKEN)
    channel.subscribe()
    ;(await theServer().next()).messages('e1:12', [message(11), message(12)])
    await until('state:connected')
    expect(channel.cursor).toBeUndefined()
    const got: number[] = []
    channel.addSuccessHandler((_token, _alias, { mid }) => got.push(mid))
    expect((await theServer().next()).headers['last-event-id']).toBe('e1:12')
    expect(got).toEqual([11, 12])
  })

  test('wait for the first on()', async () => {
    const { channel, until } = openSilentPage(TOKEN)
    channel.subscribe()
    ;(await theServer().next()).messages('e1:11', [message(11)])
    await until('state:connected')
    const got = new Promise((resolve) => channel.on('News', (_contents, { mid }) => resolve(mid)))
    expect(await got).toBe(11)
  })

  test('wait for the first loop', async () => {
    const { channel, until } = openSilentPage(TOKEN)
    channel.subscribe()
    ;(await theServer().next()).messages('e1:11', [message(11)])
    await until('state:connected')
    for await (const { mid } of channel) {
      expect(mid).toBe(11)
      break
    }
  })

  test('are asked for again if the channel was paused meanwhile', async () => {
    const { channel, until } = openSilentPage(TOKEN)
    channel.subscribe()
    ;(await theServer().next()).messages('e1:11', [message(11)])
    await until('state:connected')
    channel.unsubscribe()
    const got: number[] = []
    channel.addSuccessHandler((_token, _alias, { mid }) => got.push(mid))
    channel.subscribe()
    const again = await theServer().next()
    expect(again.headers).not.toHaveProperty('last-event-id')
    expect(got).toEqual([])
    again.messages('e1:11', [message(11)])
    await theServer().next()
    expect(got).toEqual([11])
  })

  test('are not handed to who came in the same turn in which the channel was paused', async () => {
    const { channel, until } = openSilentPage(TOKEN)
    channel.subscribe()
    ;(await theServer().next()).messages('e1:11', [message(11)])
    await until('state:connected')
    const got: number[] = []
    channel.addSuccessHandler((_token, _alias, { mid }) => got.push(mid))
    channel.unsubscribe()
    await expectNoRequest()
    expect(got).toEqual([])
    expect(channel.cursor).toBeUndefined()
  })

  test('do not keep a page that only watches its connection from polling on', async () => {
    const { channel } = openSilentPage(TOKEN)
    channel.subscribe()
    ;(await connect()).timeout('e1:20')
    expect((await theServer().next()).headers['last-event-id']).toBe('e1:20')
  })
})
