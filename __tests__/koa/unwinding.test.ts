import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { Middleware } from 'koa'
import { RawConnection } from '../handlers/raw-connection.ts'
import { eventually } from '../support/eventually.ts'
import { fakeTime, passSeconds, realTime } from '../support/fake-time.ts'
import { poll } from '../support/page.ts'
import { closeSites, openSite, type Site } from '../support/site.ts'

beforeEach(fakeTime)
afterEach(async () => {
  realTime()
  await closeSites()
})

/** A middleware that unwinds when the test lets it. */
class SlowMiddleware {
  /** How many requests wait to unwind. */
  get waiting(): number {
    return this.#waiting.length
  }
  readonly #waiting: (() => void)[] = []

  readonly middleware: Middleware = async (ctx, next) => {
    await next()
    await new Promise<void>((resolve) => this.#waiting.push(resolve))
    ctx.set('X-Unwound', 'yes')
  }

  unwind(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}

async function openSlow(): Promise<
  Site & { slow: SlowMiddleware; connection: RawConnection; token: string }
> {
  const slow = new SlowMiddleware()
  const site = await openSite({ before: [slow.middleware] })
  const { privateToken } = await site.newClient({ connectionTimeoutSeconds: 10 })
  const connection = await RawConnection.open(site.port)
  connection.send(`GET /comet HTTP/1.1\r\nHost: x\r\nComet-Token: ${privateToken}\r\n\r\n`)
  await eventually(() => slow.waiting === 1)
  return { ...site, slow, connection, token: privateToken }
}

async function manyTurns(): Promise<void> {
  for (let turns = 0; turns < 100; turns += 1) await new Promise((resolve) => setImmediate(resolve))
}

/** Exactly one answer, with what the middleware set; nothing behind it. */
async function expectOneAnswer({ slow, connection }: Awaited<ReturnType<typeof openSlow>>): Promise<unknown> {
  await manyTurns()
  expect(connection.received).toBe('')
  slow.unwind()
  const answer = await connection.answer()
  expect(answer.status).toBe(200)
  expect(answer.headers['x-unwound']).toBe('yes')
  await manyTurns()
  expect(connection.received).toBe('')
  await connection.close()
  return JSON.parse(answer.body)
}

describe('while a middleware before the channel has not unwound, no byte leaves, and then exactly one answer does,', () => {
  test('with the message that came meanwhile', async () => {
    const site = await openSlow()
    await site.channel.sendMessage('Count', 1)
    expect(await expectOneAnswer(site)).toMatchObject([{ c: 1 }])
  })

  test('with the timeout if the hold ended meanwhile', async () => {
    const site = await openSlow()
    await passSeconds(11)
    expect(await expectOneAnswer(site)).toMatchObject([{ n: 'aspNetComet.timeout' }])
  })

  test('with the message that came before the hold ended', async () => {
    const site = await openSlow()
    await site.channel.sendMessage('Count', 1)
    await passSeconds(11)
    expect(await expectOneAnswer(site)).toMatchObject([{ c: 1 }])
  })

  test('and the message that came after the hold ended with the next poll', async () => {
    const site = await openSlow()
    await passSeconds(11)
    await site.channel.sendMessage('Count', 1)
    const [timeout] = (await expectOneAnswer(site)) as { mid: number }[]
    const { epoch } = site.channel.stats()
    const polling = poll(site.url, site.token, { cursor: `${epoch}:${timeout!.mid}` })
    await eventually(() => site.slow.waiting === 1)
    site.slow.unwind()
    expect((await polling).messages).toMatchObject([{ c: 1 }])
  })

  test('with replaced if a newer poll came', async () => {
    const site = await openSlow()
    const newer = poll(site.url, site.token)
    await eventually(() => site.slow.waiting === 2)
    expect(await expectOneAnswer(site)).toMatchObject([{ n: 'aspNetComet.replaced' }])
    await site.channel.sendMessage('Count', 1)
    expect((await newer).messages).toMatchObject([{ c: 1 }])
  })

  test('with the end of its client if it was stopped', async () => {
    const site = await openSlow()
    for await (const { publicToken } of site.channel.getClients()) await site.channel.stopClient(publicToken)
    await manyTurns()
    expect(site.connection.received).toBe('')
    site.slow.unwind()
    expect((await site.connection.answer()).status).toBe(403)
    await site.connection.close()
  })

  test('with a timeout if the channel closed', async () => {
    const site = await openSlow()
    await site.channel.close()
    expect(await expectOneAnswer(site)).toMatchObject([{ n: 'aspNetComet.timeout' }])
  })

  test('and none at all if the page went away', async () => {
    const site = await openSlow()
    await site.connection.close()
    await site.holds(0)
    await site.channel.sendMessage('Count', 1)
    site.slow.unwind()
    await manyTurns()
    expect(site.appErrors).toEqual([])
  })
})
