import { expect, jest, test } from '@jest/globals'
import { message, openSilentPage, theServer, useServer } from './harness.ts'

useServer()

const HOLD_SECONDS = 24
const BODY_SECONDS = 30

/** All but what requests need to get there and back. */
const REAL = [
  'nextTick',
  'setImmediate',
  'clearImmediate',
  'queueMicrotask',
  'hrtime',
  'performance',
] as const

async function passSeconds(seconds: number): Promise<void> {
  for (let passed = 0; passed < seconds; passed += 1) {
    await jest.advanceTimersByTimeAsync(1000)
    for (let turn = 0; turn < 40; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  }
}

test('a loop that is long busy with what a poll brought late does not make the page believe that it slept', async () => {
  jest.useFakeTimers({ doNotFake: [...REAL] })
  try {
    const page = openSilentPage(null)
    const read = async (): Promise<void> => {
      for await (const { mid } of page.channel) {
        page.add(`message:${mid}`)
        await new Promise((resolve) => setTimeout(resolve, BODY_SECONDS * 1000))
      }
    }
    void read()
    page.channel.subscribe()
    ;(await theServer().next()).registered({ connectionIdleSeconds: 90 })
    const first = await theServer().next()
    await passSeconds(2)
    first.timeout('e1:10')
    const held = await theServer().next()
    await passSeconds(HOLD_SECONDS)
    held.messages('e1:11', [message(11)])
    for (let asked = 0; asked < BODY_SECONDS; asked += 1) {
      await passSeconds(1)
      theServer().open[0]?.timeout('e1:11')
    }
    expect(page.seen.filter((each) => each.startsWith('message'))).toEqual(['message:11'])
    expect(page.seen.filter((each) => each.startsWith('state'))).toEqual([
      'state:connecting',
      'state:connected',
    ])
  } finally {
    jest.useRealTimers()
  }
})
