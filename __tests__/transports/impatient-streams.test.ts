import { afterEach, describe, expect, jest, test } from '@jest/globals'
import type { Middleware } from 'koa'
import { WaitRequest } from '../../lib/subscribe/wait-request.ts'
import { eventually } from '../support/eventually.ts'
import { fakeTime, passSeconds, realTime } from '../support/fake-time.ts'
import { countTo } from '../support/raw-page.ts'
import { RawStream } from '../support/raw-stream.ts'
import { closeSites, openSite, type Site } from '../support/site.ts'

afterEach(async () => {
  jest.restoreAllMocks()
  realTime()
  await closeSites()
})

/** More than is read for a stream at a time, so many times. */
const MANY = 100
const PADDING = 'x'.repeat(5000)

interface Waiting extends Site {
  readonly privateToken: string
  readonly start: string
}

/** A channel with a client for which many messages wait. */
async function openWith(before: readonly Middleware[] = []): Promise<Waiting> {
  const site = await openSite({ before })
  const { privateToken, start } = await site.newClient()
  for (const index of countTo(MANY)) await site.channel.sendMessage('M', { index, PADDING })
  return { ...site, privateToken, start: `${start.epoch}:${start.messageId}` }
}

function ask({ url, privateToken, start }: Waiting, wait: number): Promise<RawStream> {
  return RawStream.open(url, privateToken, { cursor: start, headers: { Prefer: `wait=${wait}` } })
}

async function endOf(stream: RawStream): Promise<unknown[]> {
  await stream.until(({ ending }) => ending !== undefined)
  expect(stream.ending).toBe('ended')
  expect(Object.keys(stream.blocks.at(-1)!)).toEqual(['retryMs'])
  return stream.contents.map((contents) => (contents as { index: number }).index)
}

describe('A stream that asks not to wait', () => {
  test('is told all that there is, however many pieces that takes, and is ended', async () => {
    const waiting = await openWith()
    expect(await endOf(await ask(waiting, 0))).toEqual(countTo(MANY))
    await waiting.holds(0)
  })

  test('is ended at what there was when it asked, while more is sent with each piece that it gets', async () => {
    let sent = MANY
    const sends: Middleware = (ctx, next) => {
      const write = ctx.res.write.bind(ctx.res) as (...details: unknown[]) => boolean
      ctx.res.write = (...details: unknown[]) => {
        sent += 1
        void waiting.channel.sendMessage('M', { index: sent, PADDING })
        return write(...details)
      }
      return next()
    }
    const waiting = await openWith([sends])
    const told = await endOf(await ask(waiting, 0))
    expect(told.slice(0, MANY)).toEqual(countTo(MANY))
    expect(told).toEqual(countTo(told.length))
    expect(sent).toBeGreaterThan(MANY)
  })

  test('is told that something is missing, of a log that began anew, and is ended', async () => {
    const waiting = await openWith()
    const stream = await ask({ ...waiting, start: 'another:1000000' }, 0)
    expect(await endOf(stream)).toEqual(expect.arrayContaining([MANY]))
    expect(stream.told.filter(({ n }) => n === 'aspNetComet.reset')).toHaveLength(1)
  })
})

describe.each([0, 1, 16])('A stream that asks to wait %d s', (wait) => {
  test('is not looked at again and again while Koa unwinds, and then told what there is', async () => {
    fakeTime()
    let unwind: (() => void) | undefined
    const slow: Middleware = async (_ctx, next) => {
      await next()
      await new Promise<void>((resolve) => {
        unwind = resolve
      })
    }
    const waiting = await openWith([slow])
    const onTimer = jest.spyOn(WaitRequest.prototype, 'onTimer')
    const asked = ask(waiting, wait)
    await waiting.holds(1)
    await eventually(() => unwind !== undefined)
    await passSeconds(20)
    // A keep-alive that is not due yet, and the end.
    expect(onTimer.mock.calls.length).toBeLessThanOrEqual(2)
    unwind?.()
    const told = await endOf(await asked)
    expect(told).toEqual(countTo(told.length))
    expect(told.length).toBeGreaterThan(0)
  })
})
