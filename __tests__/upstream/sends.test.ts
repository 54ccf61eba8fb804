import { afterEach, describe, expect, test } from '@jest/globals'
import { CometRefusal } from 'koa-comet'
import * as v from 'valibot'
import { z } from 'zod'
import { eventually } from '../support/eventually.ts'
import { post } from '../support/post.ts'
import { closeSites, openSite, type Site } from '../support/site.ts'

afterEach(closeSites)

/** Sends something as a new client of the site. */
async function sender(site: Site) {
  const client = await site.newClient()
  return {
    client,
    send: (n: unknown, c?: unknown, key?: unknown) =>
      post(`${site.url}/send`, client.privateToken, { n, c, key }),
  }
}

describe('What a page sends', () => {
  test('is given to the handler of its name, with the client and Koa’s context, and answered with its result', async () => {
    const site = await openSite()
    const { client, send } = await sender(site)
    site.channel.onMessage('Say', async (contents, { client, ctx, signal }) => {
      return { contents, from: client.publicToken, path: ctx.path, isLate: signal.aborted }
    })
    const { status, body, headers } = await send('Say', { text: 'hello' })
    expect(status).toBe(200)
    expect(body).toEqual({
      c: { contents: { text: 'hello' }, from: client.publicToken, path: '/comet/send', isLate: false },
    })
    expect(headers.get('cache-control')).toBe('no-store')
  })

  test('without contents is undefined, and a handler without a result gives null', async () => {
    const site = await openSite()
    const { send } = await sender(site)
    const got: unknown[] = []
    site.channel.onMessage('Ping', (contents) => {
      got.push(contents)
    })
    expect((await send('Ping')).body).toEqual({ c: null })
    expect((await send('Ping', null)).body).toEqual({ c: null })
    expect(got).toEqual([undefined, null])
  })

  test('by a name that nobody listens to is refused, whatever the name', async () => {
    const site = await openSite()
    const { send } = await sender(site)
    const stop = site.channel.onMessage('Say', () => 1)
    expect(() => site.channel.onMessage('Say', () => 2)).toThrow("'Say' has a handler already.")
    stop()
    for (const name of ['Say', '__proto__', 'constructor', 'toString']) {
      expect(await send(name)).toMatchObject({ status: 404, error: { code: 'COMET_HANDLER_DOES_NOT_EXIST' } })
    }
    site.channel.onMessage('Say', () => 3)
    stop()
    expect((await send('Say')).body).toEqual({ c: 3 })
  })

  test('is refused by the app with its own code, text and details', async () => {
    const site = await openSite()
    const { send } = await sender(site)
    site.channel.onMessage('Book', () => {
      throw new CometRefusal('SEAT_IS_TAKEN', 'Somebody sits there.', { seat: 7 })
    })
    expect(await send('Book')).toMatchObject({
      status: 422,
      error: {
        n: 'aspNetComet.error',
        code: 'SEAT_IS_TAKEN',
        c: 'Somebody sits there.',
        details: { seat: 7 },
      },
    })
    expect(site.errors).toEqual([])
    const circular: Record<string, unknown> = {}
    circular.self = circular
    for (const details of [1n, circular]) {
      expect(() => new CometRefusal('NO', 'text', details)).toThrow(TypeError)
    }
    expect(() => new CometRefusal('NO', 'text', 'x'.repeat(20_000))).toThrow(RangeError)
    for (const code of ['COMET_X', 'seat', '', 'A'.repeat(65), 7]) {
      expect(() => new CometRefusal(code as string, 'text')).toThrow(TypeError)
    }
  })

  test('is refused in Koa’s way with its status and text', async () => {
    const site = await openSite()
    const { send } = await sender(site)
    site.channel.onMessage('Book', (_contents, { ctx }) => ctx.throw(403, 'Not you.'))
    site.channel.onMessage('Fail', (_contents, { ctx }) => ctx.throw(500, 'secret'))
    expect(await send('Book')).toMatchObject({
      status: 403,
      error: { code: 'COMET_SEND_IS_REFUSED', c: 'Not you.' },
    })
    const failed = await send('Fail')
    expect(failed).toMatchObject({ status: 500, error: { code: 'COMET_SEND_HAS_FAILED' } })
    expect(JSON.stringify(failed.body)).not.toContain('secret')
  })

  test('learns nothing of what a handler throws; the event error has it', async () => {
    const site = await openSite()
    const { send } = await sender(site)
    const thrown = [
      new Error('secret'),
      'secret',
      undefined,
      Object.assign(new Error('secret'), { status: 400 }),
    ]
    for (const [index, error] of thrown.entries()) {
      site.channel.onMessage(`Fail${index}`, () => {
        throw error
      })
      const { status, body } = await send(`Fail${index}`)
      expect([status, JSON.stringify(body)]).toEqual([500, expect.not.stringContaining('secret')])
    }
    await eventually(() => site.errors.length === thrown.length)
    expect(site.errors).toEqual(thrown)
  })

  test('comes to nothing that is no JSON, or too much of it', async () => {
    const site = await openSite({ options: { maxMessageBytes: 1000 } })
    const { send } = await sender(site)
    const circular: Record<string, unknown> = {}
    circular.self = circular
    const results = [() => 1, circular, 10n, 'x'.repeat(1001)]
    for (const [index, result] of results.entries()) {
      site.channel.onMessage(`Give${index}`, () => result)
      expect(await send(`Give${index}`)).toMatchObject({
        status: 500,
        error: { code: 'COMET_SEND_HAS_FAILED' },
      })
    }
    await eventually(() => site.errors.length === results.length)
  })

  test('is checked by the schema of any library, and the handler gets what that gives', async () => {
    const site = await openSite()
    const { send } = await sender(site)
    site.channel.onMessage('Zod', ({ text, times }) => text.repeat(times), {
      schema: z.object({ text: z.string().trim(), times: z.number().default(2) }),
    })
    site.channel.onMessage('Valibot', ({ at }) => at.toISOString(), {
      schema: v.objectAsync({
        at: v.pipeAsync(
          v.string(),
          v.transform((text) => new Date(text)),
        ),
      }),
    })
    expect((await send('Zod', { text: ' ab ' })).body).toEqual({ c: 'abab' })
    expect((await send('Valibot', { at: '2026-01-01' })).body).toEqual({ c: '2026-01-01T00:00:00.000Z' })
    const { status, error } = await send('Zod', { text: 'a', times: 'x' })
    expect([status, error?.code]).toEqual([400, 'COMET_CONTENTS_ARE_INVALID'])
    expect(error?.details).toEqual([{ message: expect.any(String), path: ['times'] }])
    expect(await send('Valibot', [])).toMatchObject({ error: { code: 'COMET_CONTENTS_ARE_INVALID' } })
  })

  test('of one client is handled in order, each when the one before has ended; clients do not wait for each other', async () => {
    const site = await openSite()
    const [ann, bob] = [await sender(site), await sender(site)]
    const log: string[] = []
    const doors = new Map<string, () => void>()
    site.channel.onMessage('Do', async (name) => {
      log.push(`${name} begins`)
      await new Promise<void>((resolve) => doors.set(String(name), resolve))
      log.push(`${name} ends`)
    })
    const first = ann.send('Do', 'a1')
    await eventually(() => doors.has('a1'))
    const second = ann.send('Do', 'a2')
    const other = bob.send('Do', 'b1')
    await eventually(() => doors.has('b1'))
    doors.get('b1')!()
    await other
    doors.get('a1')!()
    await first
    await eventually(() => doors.has('a2'))
    doors.get('a2')!()
    await second
    expect(log).toEqual(['a1 begins', 'b1 begins', 'b1 ends', 'a1 ends', 'a2 begins', 'a2 ends'])
  })

  test('within what is allowed is no form of it: other fields, types, sizes and depths are refused', async () => {
    const site = await openSite({ options: { maxUpstreamBytes: 1000 } })
    const { client, send } = await sender(site)
    site.channel.onMessage('Say', () => 'ok')
    const invalid = { status: 400, error: { code: 'COMET_PARAMETERS_ARE_INVALID' } }
    for (const name of [undefined, '', 7, null, 'x'.repeat(129), {}]) {
      expect(await send(name)).toMatchObject(invalid)
    }
    for (const key of ['', 7, null, 'x'.repeat(129)]) expect(await send('Say', 1, key)).toMatchObject(invalid)
    let deep: unknown = 1
    for (let depth = 0; depth < 150; depth++) deep = [deep]
    expect(await send('Say', deep)).toMatchObject(invalid)
    expect(await send('Say', 'x'.repeat(998))).toMatchObject({ status: 200 })
    expect(await send('Say', 'x'.repeat(999))).toMatchObject({ status: 413 })
    expect(await send('Say', 'x'.repeat(9999))).toMatchObject({ error: { code: 'COMET_BODY_IS_TOO_LARGE' } })
    const address = `${site.url}/send`
    const bodies = [undefined, '{', '[1]', '"x"']
    for (const body of bodies) {
      const headers = { Authorization: `Bearer ${client.privateToken}`, 'Content-Type': 'application/json' }
      expect((await fetch(address, { method: 'POST', headers, body: body ?? null })).status).toBe(400)
    }
    expect((await fetch(address)).status).toBe(405)
    expect((await post(address, undefined, { n: 'Say' })).status).toBe(401)
    expect((await post(address, 'x'.repeat(43), { n: 'Say' })).status).toBe(401)
  })
})

describe('Promise 8: what a client asks is bounded', () => {
  test('by a rate: it is told to come again, and then may', async () => {
    const site = await openSite({ options: { maxRequestsPerSecond: 1 } })
    const { send } = await sender(site)
    const other = await sender(site)
    site.channel.onMessage('Say', () => 'ok')
    const statuses: number[] = []
    for (let count = 0; count < 7; count++) statuses.push((await send('Say')).status)
    expect(statuses.slice(0, 5)).toEqual([200, 200, 200, 200, 200])
    const refused = await send('Say')
    expect(refused).toMatchObject({ status: 429, error: { code: 'COMET_TOO_MANY_REQUESTS' } })
    expect(refused.headers.get('retry-after')).toBe('1')
    expect((await other.send('Say')).status).toBe(200)
    for (;;) if ((await send('Say')).status === 200) break
  })

  test('by how many wait for an earlier one', async () => {
    const site = await openSite()
    const { send } = await sender(site)
    let open = () => {}
    const isOpen = new Promise<void>((resolve) => {
      open = resolve
    })
    let begun = 0
    site.channel.onMessage('Wait', async () => {
      begun += 1
      await isOpen
    })
    const statuses: number[] = []
    const sends = Array.from({ length: 20 }, async () => statuses.push((await send('Wait')).status))
    await eventually(() => statuses.length === 4)
    expect([begun, ...statuses]).toEqual([1, 429, 429, 429, 429])
    open()
    await Promise.all(sends)
    expect(statuses.filter((status) => status === 200)).toHaveLength(16)
  })
})
