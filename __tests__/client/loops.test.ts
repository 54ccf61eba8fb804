import { describe, expect, jest, test } from '@jest/globals'
import type { CometChannel, WireMessage } from '../../client/index.ts'
import {
  connect,
  deferred,
  expectNoRequest,
  message,
  openSilentPage,
  TOKEN,
  theServer,
  useServer,
} from './harness.ts'

useServer()

describe('for await', () => {
  test('gets every message in order, and the channel waits for its body before it asks for more', async () => {
    const { channel } = openSilentPage(TOKEN)
    channel.subscribe()
    const got: number[] = []
    const busy = deferred()
    const reached = deferred()
    const loop = (async () => {
      for await (const { mid } of channel) {
        got.push(mid)
        if (mid === 12) {
          reached.resolve()
          await busy.promise
        }
        if (mid === 13) break
      }
    })()
    ;(await connect()).messages('e1:12', [message(11), message(12)])
    await reached.promise
    expect(theServer().open).toEqual([])
    expect(channel.cursor).toBe('e1:12')
    busy.resolve()
    const next = await theServer().next()
    expect(next.headers['last-event-id']).toBe('e1:12')
    next.messages('e1:13', [message(13)])
    await loop
    expect(got).toEqual([11, 12, 13])
  })

  test('is waited for without a listener for each message, of which Node would warn as a leak', async () => {
    const { channel } = openSilentPage(TOKEN)
    channel.subscribe()
    const loop = (async () => {
      for await (const { mid } of channel) {
        await new Promise((resolve) => setImmediate(resolve))
        if (mid === 110) break
      }
    })()
    const poll = await connect()
    const listen = jest.spyOn(EventTarget.prototype, 'addEventListener')
    const all = Array.from({ length: 100 }, (_each, index) => message(11 + index))
    poll.messages('e1:110', all)
    await loop
    expect(listen.mock.calls.filter(([type]) => type === 'abort').length).toBeLessThan(10)
  })

  test('of two loops, each gets every message', async () => {
    const { channel } = openSilentPage(TOKEN)
    channel.subscribe()
    const read = async () => {
      const got: number[] = []
      for await (const { mid } of channel) {
        got.push(mid)
        if (got.length === 3) break
      }
      return got
    }
    const loops = Promise.all([read(), read()])
    ;(await connect()).messages('e1:13', [message(11), message(12), message(13)])
    expect(await loops).toEqual([
      [11, 12, 13],
      [11, 12, 13],
    ])
  })

  test('ends at leave()', async () => {
    const { channel } = openSilentPage(TOKEN)
    channel.subscribe()
    const loop = (async () => {
      for await (const { mid } of channel) if (mid === 11) void channel.leave()
      return 'ended'
    })()
    ;(await connect()).messages('e1:12', [message(11), message(12)])
    expect(await loop).toBe('ended')
  })

  test('ends at the abort of the signal', async () => {
    const abort = new AbortController()
    const { channel } = openSilentPage(TOKEN, { signal: abort.signal })
    channel.subscribe()
    const loop = (async () => {
      for await (const _message of channel);
      return 'ended'
    })()
    await connect()
    abort.abort()
    expect(await loop).toBe('ended')
  })

  test('throws what stopped the channel', async () => {
    const { channel } = openSilentPage(TOKEN)
    channel.subscribe()
    const loop = (async () => {
      for await (const _message of channel);
    })()
    ;(await connect()).error(400, 'COMET_PARAMETERS_ARE_INVALID')
    await expect(loop).rejects.toMatchObject({ code: 'COMET_PARAMETERS_ARE_INVALID', willRetry: false })
  })

  test('throws what stopped the channel also if its body was busy then, when it asks for the next', async () => {
    const { channel, until } = openSilentPage(TOKEN)
    channel.subscribe()
    const busy = deferred()
    const reached = deferred()
    const loop = (async () => {
      for await (const _message of channel) {
        reached.resolve()
        await busy.promise
      }
    })()
    ;(await connect()).messages('e1:12', [message(11), message(12)])
    await reached.promise
    channel.unsubscribe()
    channel.subscribe()
    ;(await theServer().next()).error(400, 'COMET_PARAMETERS_ARE_INVALID')
    await until('failure:COMET_PARAMETERS_ARE_INVALID:false')
    // It was over before that.
    void channel.leave()
    busy.resolve()
    await expect(loop).rejects.toMatchObject({ code: 'COMET_PARAMETERS_ARE_INVALID', willRetry: false })
  })

  test.each<[string, (channel: CometChannel, begin: () => void) => void]>([
    ['failure handler', (channel, begin) => channel.addFailureHandler(begin)],
    [
      'listener of statechange',
      (channel, begin) =>
        channel.addEventListener('statechange', ({ detail }) => detail.state === 'disconnected' && begin()),
    ],
  ])('that a %s begins when the channel has stopped is not ended by that failure', async (_who, onStop) => {
    const { channel } = openSilentPage(TOKEN)
    const got: Promise<IteratorResult<WireMessage, void>>[] = []
    onStop(channel, () => {
      // The end of the test stops it, too.
      if (got.length > 0) return
      got.push(channel[Symbol.asyncIterator]().next())
      channel.subscribe()
    })
    channel.subscribe()
    ;(await connect()).error(400, 'COMET_PARAMETERS_ARE_INVALID')
    ;(await connect()).messages('e1:11', [message(11)])
    expect(await Promise.all(got)).toEqual([{ done: false, value: message(11) }])
  })

  test('that a handler begins during a message waits for the next', async () => {
    const { channel } = openSilentPage(TOKEN)
    const got: Promise<IteratorResult<WireMessage, void>>[] = []
    const off = channel.on('News', () => {
      got.push(channel[Symbol.asyncIterator]().next())
      off()
    })
    channel.subscribe()
    ;(await connect()).messages('e1:12', [message(11), message(12)])
    await expectNoRequest()
    expect(await Promise.all(got)).toEqual([{ done: false, value: message(12) }])
  })

  test('goes on over unsubscribe() and subscribe(), without a message twice', async () => {
    const { channel } = openSilentPage(TOKEN)
    channel.subscribe()
    const got: number[] = []
    const loop = (async () => {
      for await (const { mid } of channel) {
        got.push(mid)
        if (mid === 11) channel.unsubscribe()
        if (mid === 12) break
      }
    })()
    const poll = await connect()
    poll.messages('e1:12', [message(11), message(12)])
    await new Promise((resolve) => channel.addEventListener('statechange', resolve, { once: true }))
    expect(got).toEqual([11])
    channel.subscribe()
    const again = await theServer().next()
    expect(again.headers['last-event-id']).toBe('e1:11')
    again.messages('e1:12', [message(12)])
    await loop
    expect(got).toEqual([11, 12])
  })
})
