import { afterEach, describe, expect, test } from '@jest/globals'
import Router, { type RouterMiddleware } from '@koa/router'
import Koa, { type Middleware } from 'koa'
import mount from 'koa-mount'
import { expectServed } from '../handlers/expect-served.ts'
import { closeSites, openSite } from '../support/site.ts'

afterEach(closeSites)

describe('mounted', () => {
  test('by koa-mount, the path is what is left of it', async () => {
    const site = await openSite({ mount: (channel) => mount('/api', channel.mount('/comet')) })
    await expectServed(site, `${site.served.origin}/api/comet`)
    expect((await fetch(`${site.served.origin}/api/comet/client.js`)).status).toBe(200)
    expect((await fetch(`${site.served.origin}/comet`)).status).toBe(404)
  })

  test('in an app that is mounted in another by koa-mount', async () => {
    const site = await openSite({ mount: (channel) => mount('/inner', new Koa().use(channel.mount())) })
    await expectServed(site, `${site.served.origin}/inner/comet`)
  })

  test('by @koa/router with a prefix, the path is the whole one, all methods included', async () => {
    const site = await openSite({
      mount(channel) {
        const router = new Router({ prefix: '/api' })
        router.all('/comet{/*rest}', channel.mount('/api/comet') as RouterMiddleware)
        return router.routes() as unknown as Middleware
      },
    })
    const url = `${site.served.origin}/api/comet`
    await expectServed(site, url)
    expect((await fetch(`${url}/client.js`)).status).toBe(200)
    expect((await fetch(url, { method: 'DELETE' })).status).toBe(405)
    expect((await fetch(url, { method: 'OPTIONS' })).headers.get('allow')).toBe('GET, POST, OPTIONS')
  })

  test('as subscribe() alone by @koa/router, also under a path with parameters', async () => {
    const site = await openSite({
      mount(channel) {
        const router = new Router({ prefix: '/shops/:shop' })
        router.all('/comet', channel.subscribe() as RouterMiddleware)
        return router.routes() as unknown as Middleware
      },
    })
    const url = `${site.served.origin}/shops/7/comet`
    await expectServed(site, url)
    expect((await fetch(url, { method: 'HEAD' })).status).toBe(405)
  })

  test.each(['', '/', 'comet', '/comet/', '/co met', '/:comet', '/comet*', '/a//b', '/comet?x'])(
    'at a path that is none (%j) is refused when the app starts',
    async (path) => {
      const { channel } = await openSite()
      expect(() => channel.mount(path)).toThrow(TypeError)
    },
  )
})
