import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { CometChannel } from 'koa-comet/client'
import { eventually } from '../support/eventually.ts'
import { fakeTime, passSeconds, realTime } from '../support/fake-time.ts'
import { closeSites, openSite } from '../support/site.ts'

let page: CometChannel | undefined
let timers: jest.SpiedFunction<typeof setTimeout>

beforeEach(() => {
  fakeTime()
  timers = jest.spyOn(globalThis, 'setTimeout')
})

afterEach(async () => {
  page?.unsubscribe()
  timers.mockRestore()
  realTime()
  await closeSites()
})

/** A page at a real channel, whose idle time is 90 s. */
async function openPage() {
  const { channel, url } = await openSite({ options: { register: () => ({ publicToken: 'ann' }) } })
  const told: string[] = []
  let resumed = 0
  channel.on('clientResumed', () => {
    resumed += 1
  })
  channel.on('clientDisconnected', (_client, { reason }) => told.push(reason))
  page = new CometChannel(url, null, 'default', { storage: null, transports: ['long-polling'] })
  page.addEventListener('reset', () => told.push('reset'))
  page.addFailureHandler((_token, _alias, { code }) => told.push(code))
  return { page, channel, told, resumes: () => resumed }
}

/** How many polls have brought the page an answer: for each it sets how long that may wait. */
function answers(): number {
  return timers.mock.calls.filter(([, ms]) => ms === 20_000).length
}

/** Lets ten minutes pass, and each poll that falls due meanwhile be answered. */
async function passTenMinutes(): Promise<void> {
  for (let times = 0; times < 30; times += 1) {
    const before = answers()
    await passSeconds(20)
    await eventually(() => answers() > before)
  }
}

describe('A client is not taken for idle', () => {
  test('while nobody listens to its messages', async () => {
    const { page, channel, told, resumes } = await openPage()
    page.subscribe()
    await eventually(() => page.state === 'connected')
    await channel.sendMessage('News', 1)
    await eventually(() => answers() === 2)
    await passTenMinutes()
    await channel.sendMessage('News', 2, { to: 'ann' })
    expect([page.state, told]).toEqual(['connected', []])
    expect(resumes()).toBe(30)
  })

  test('while its loop is busy, and misses nothing', async () => {
    const { page, channel, told } = await openPage()
    const loop = page[Symbol.asyncIterator]()
    const first = loop.next()
    page.subscribe()
    await eventually(() => page.state === 'connected')
    for (const contents of [1, 2, 3]) await channel.sendMessage('News', contents, { to: 'ann' })
    const got = [(await first).value?.c]
    await passTenMinutes()
    for (let times = 0; times < 2; times += 1) got.push((await loop.next()).value?.c)
    expect([got, page.state, told]).toEqual([[1, 2, 3], 'connected', []])
  })
})
