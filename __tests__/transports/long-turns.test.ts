import { afterEach, expect, jest, test } from '@jest/globals'
import type { Middleware } from 'koa'
import { countTo } from '../support/raw-page.ts'
import { closeSites, openSite } from '../support/site.ts'
import { overEachTransport } from '../support/transports.ts'

afterEach(async () => {
  jest.restoreAllMocks()
  await closeSites()
})

const REQUESTS = 40

overEachTransport(({ poll }) => {
  test('others get a turn of the event loop when answering many has taken a while', async () => {
    let turn = 0
    let isCounting = true
    const count = (): void => {
      turn += 1
      if (isCounting) setImmediate(count)
    }
    const turns: number[] = []
    const note: Middleware = (ctx, next) => {
      const write = ctx.res.write.bind(ctx.res) as (...details: unknown[]) => boolean
      const end = ctx.res.end.bind(ctx.res) as (...details: unknown[]) => typeof ctx.res
      ctx.res.write = (...details: unknown[]) => {
        turns.push(turn)
        return write(...details)
      }
      ctx.res.end = (...details: unknown[]) => {
        turns.push(turn)
        return end(...details)
      }
      return next()
    }
    const { channel, url, newClient, holds } = await openSite({ before: [note] })
    const polls = countTo(REQUESTS).map(async () => poll(url, (await newClient()).privateToken))
    await holds(REQUESTS)
    turns.length = 0
    setImmediate(count)
    // Each look at the clock finds that 2 ms have passed.
    let now = performance.now()
    jest.spyOn(performance, 'now').mockImplementation(() => (now += 2))
    await channel.sendMessage('M', 1)
    await Promise.all(polls)
    isCounting = false
    const most = Math.max(...turns.map((each) => turns.filter((other) => other === each).length))
    expect(turns.length).toBeGreaterThanOrEqual(REQUESTS)
    expect(most).toBeLessThan(REQUESTS / 2)
  })
})
