import { afterEach, expect, test } from '@jest/globals'
import { CometStateManager } from 'koa-comet'
import { CometChannel } from 'koa-comet/client'
import { InProcCometStateProvider, InProcStorage } from 'koa-comet/providers/in-proc'
import { eventually } from '../support/eventually.ts'
import { countTo } from '../support/raw-page.ts'
import { serve } from '../support/serve.ts'
import { closeSites, openSite } from '../support/site.ts'
import { TestPage } from '../support/test-page.ts'
import { overEachTransport } from '../support/transports.ts'

afterEach(closeSites)

overEachTransport(({ transport }) => {
  test('Promise 11 and Row 39: pages of a node that closes go on at another, and lose nothing', async () => {
    const storage = new InProcStorage()
    const provider = () => new InProcCometStateProvider({ storage })
    const [leaving, staying] = [
      await openSite({ provider: provider() }),
      await openSite({ provider: provider() }),
    ]
    await staying.channel.open()
    const pages = await Promise.all(
      countTo(20).map(async () => new TestPage(transport, await leaving.newClient())),
    )
    let isOver = false
    const reading = pages.map(async (page) => {
      let { url } = leaving
      while (!isOver || page.contents.at(-1) !== 100) {
        // Longer than it takes until all are there: a stream whose time is over sends its page away, too.
        const { isSentAway } = await page.next(url, { waitSeconds: 10 })
        if (isSentAway) url = staying.url
      }
    })
    await leaving.holds(20)
    for (const index of countTo(50)) await staying.channel.sendMessage('M', index)
    const closing = leaving.channel.close({ overSeconds: 1 })
    for (const index of countTo(49, 51)) await staying.channel.sendMessage('M', index)
    await closing
    // This one only those get that went.
    await staying.channel.sendMessage('M', 100)
    isOver = true
    await Promise.all(reading)
    expect(pages.map(({ contents }) => contents)).toEqual(pages.map(() => countTo(100)))
    expect(pages.flatMap(({ resets }) => resets)).toEqual([])
    expect(leaving.channel.stats().heldRequests).toBe(0)
  }, 90_000)
})

test.each([
  ['long-polling', 990],
  ['streaming', 0],
] as const)(
  'Promise 11 and Row 41: pages that are sent away come back no sooner than they are asked, by themselves: %s',
  async (transport, askedMs) => {
    const storage = new InProcStorage()
    let channel = new CometStateManager(new InProcCometStateProvider({ storage }))
    const { privateToken } = await channel.initializeClient({ publicToken: 'ann' })
    let mounted = channel.mount()
    const arrivals: number[] = []
    const served = await serve((ctx, next) => {
      arrivals.push(performance.now())
      return mounted(ctx, next)
    })
    const page = new CometChannel(`${served.origin}/comet`, privateToken, 'default', {
      storage: null,
      transports: [transport],
    })
    const [got, resets]: [unknown[], unknown[]] = [[], []]
    page.on('M', (contents) => got.push(contents))
    page.addEventListener('reset', ({ detail }) => resets.push(detail))
    page.subscribe()
    await eventually(() => channel.stats().heldRequests === 1)
    await channel.sendMessage('M', 1)
    await eventually(() => got.length === 1 && channel.stats().heldRequests === 1)
    const closedAt = performance.now()
    const arrivedBefore = arrivals.length
    const closing = channel.close({ overSeconds: 1 })
    channel = new CometStateManager(new InProcCometStateProvider({ storage }))
    mounted = channel.mount()
    await closing
    for (const index of countTo(5, 2)) await channel.sendMessage('M', index)
    await eventually(() => got.length === 6)
    expect([got, resets]).toEqual([countTo(6), []])
    // A poll is asked to wait for one second, a stream for a random part of it. Node's timers count whole milliseconds.
    expect(arrivals[arrivedBefore]! - closedAt).toBeGreaterThan(askedMs)
    page.unsubscribe()
    await channel.close()
    await served.close()
  },
)
