import { afterEach, describe, expect, test } from '@jest/globals'
import type { Middleware } from 'koa'
import { poll } from '../support/page.ts'
import { closeSites, openSite } from '../support/site.ts'

afterEach(closeSites)

describe('a middleware before the channel', () => {
  test('that throws after next() while a poll is held is answered by Koa, and nothing stays held', async () => {
    const failure = new Error('after next')
    const site = await openSite({
      before: [
        async (ctx, next) => {
          await next()
          if (ctx.get('X-Throw')) throw failure
        },
      ],
    })
    const { privateToken } = await site.newClient()
    const response = await fetch(site.url, { headers: { 'Comet-Token': privateToken, 'X-Throw': '1' } })
    expect([response.status, await response.text()]).toEqual([500, 'Internal Server Error'])
    await site.holds(0)
    expect(site.appErrors).toEqual([failure])
    await site.channel.sendMessage('Count', 1)
    expect((await poll(site.url, privateToken)).messages).toMatchObject([{ c: 1 }])
  })

  test.each<readonly [string, Middleware]>([
    [
      'ctx.body',
      async (ctx, next) => {
        await next()
        ctx.body = 'something else'
      },
    ],
    [
      'ctx.body to null',
      async (ctx, next) => {
        await next()
        ctx.body = null
      },
    ],
    [
      'ctx.body to an object, and a type',
      async (ctx, next) => {
        await next()
        ctx.body = { a: 1 }
        ctx.type = 'html'
      },
    ],
    [
      'ctx.status',
      async (ctx, next) => {
        await next()
        ctx.status = 404
      },
    ],
    [
      'ctx.respond',
      async (ctx, next) => {
        await next()
        ctx.respond = true
      },
    ],
    [
      'ctx.compress',
      async (ctx, next) => {
        await next()
        ctx.compress = true
      },
    ],
    [
      'ctx.length',
      async (ctx, next) => {
        await next()
        ctx.length = 3
      },
    ],
  ])('that sets %s after next() does not answer a held poll, nor spoil its answer', async (_, middleware) => {
    const site = await openSite({ before: [middleware] })
    const { privateToken } = await site.newClient()
    const polling = poll(site.url, privateToken)
    await site.holds(1)
    const id = await site.channel.sendMessage('Count', 1)
    const { status, headers, messages } = await polling
    expect([status, messages]).toEqual([200, [{ mid: id, n: 'Count', c: 1 }]])
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8')
    expect(headers.get('content-encoding')).toBeNull()
    expect(site.appErrors).toEqual([])
  })

  test('that sets headers before or after next() finds them in the held answer', async () => {
    const site = await openSite({
      before: [
        async (ctx, next) => {
          ctx.set('X-Before', '1')
          await next()
          ctx.set('X-After', '2')
          ctx.cookies.set('seen', 'yes')
        },
      ],
    })
    const { privateToken } = await site.newClient()
    const polling = poll(site.url, privateToken)
    await site.holds(1)
    await site.channel.sendMessage('Count', 1)
    const { headers } = await polling
    expect([headers.get('x-before'), headers.get('x-after')]).toEqual(['1', '2'])
    expect(headers.getSetCookie()[0]).toMatch(/^seen=yes/)
  })
})
