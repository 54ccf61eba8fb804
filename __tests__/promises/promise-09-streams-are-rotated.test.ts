import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { eventually } from '../support/eventually.ts'
import { fakeTime, passSeconds, realTime } from '../support/fake-time.ts'
import { countTo } from '../support/raw-page.ts'
import { RawStream } from '../support/raw-stream.ts'
import { closeSites, openSite } from '../support/site.ts'

beforeEach(fakeTime)
afterEach(async () => {
  realTime()
  await closeSites()
})

const hasEnded = ({ ending }: RawStream): boolean => ending === 'ended'

test.each([
  ['another user', 'bob', 403, 'COMET_IDENTITY_HAS_CHANGED'],
  ['nobody', null, 401, 'COMET_IDENTITY_IS_LOST'],
])(
  'Promise 9: a stream whose login has become %s ends within 10 minutes, and is refused from then on',
  async (_, user, status, code) => {
    let current: string | null = 'ann'
    const { channel, newClient, url } = await openSite({ options: { identify: () => current } })
    const { privateToken } = await newClient({ userId: 'ann' })
    const stream = await RawStream.open(url, privateToken)
    current = user
    await passSeconds(539)
    expect(stream.ending).toBeUndefined()
    await passSeconds(61)
    await stream.until(hasEnded)
    await channel.sendMessage('ForAnn', 1)
    const refused = await RawStream.open(url, privateToken, { cursor: stream.cursor })
    await refused.until(hasEnded)
    expect([refused.status, JSON.parse(refused.text)]).toMatchObject([status, [{ code }]])
    expect(stream.messages).toEqual([])
    current = 'ann'
    const again = await RawStream.open(url, privateToken, { cursor: stream.cursor })
    await again.until(({ contents }) => contents.length === 1)
  },
)

test('Promise 9: a stream that is rotated ends with its last position and a short retry, and misses nothing', async () => {
  const { channel, newClient, url } = await openSite()
  const { privateToken } = await newClient()
  const stream = await RawStream.open(url, privateToken)
  for (const index of countTo(10)) {
    await channel.sendMessage('M', index)
    await passSeconds(60)
  }
  await stream.until(hasEnded)
  const [position, last] = stream.blocks.slice(-2)
  expect(Object.keys(position!)).toEqual(['id'])
  expect(Object.keys(last!)).toEqual(['retryMs'])
  expect(last!.retryMs).toBeGreaterThanOrEqual(0)
  expect(last!.retryMs).toBeLessThan(1000)
  await channel.sendMessage('M', 11)
  const again = await RawStream.open(url, privateToken, { cursor: position!.id })
  await again.until(({ messages }) => messages.length > 0 && messages.at(-1)!.c === 11)
  expect([...stream.contents, ...again.contents]).toEqual(countTo(11))
  expect(again.headers.get('comet-outcome')).toBe('resumed')
})

test('Promise 9: streams that began together do not end together', async () => {
  const { newClient, url, holds } = await openSite()
  const clients = await Promise.all(countTo(40).map(() => newClient()))
  const streams = await Promise.all(clients.map(({ privateToken }) => RawStream.open(url, privateToken)))
  await holds(40)
  await passSeconds(570)
  const ended = (): number => streams.filter(hasEnded).length
  await eventually(() => ended() > 0)
  for (let turn = 0; turn < 200; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  expect(ended()).toBeLessThan(40)
  await passSeconds(30)
  await eventually(() => ended() === 40)
  expect(new Set(streams.map(({ blocks }) => blocks.at(-1)!.retryMs)).size).toBeGreaterThan(10)
})
