import Router from '@koa/router'
import Koa from 'koa'
import type { Fleet } from './fleet.ts'
import type { NodeProcess } from './node-process.ts'

/** What pages see of the nodes and do to them, beside the app: no node answers these requests. */
export function createControl({ nodes }: Fleet): Koa {
  function order(give: (node: NodeProcess) => void): Koa.Middleware {
    return (ctx) => {
      const node = nodes.find(({ name }) => name === ctx.params.name)
      // Else 404.
      if (!node) return
      give(node)
      ctx.status = 204
    }
  }

  const routes = new Router()
  routes.get('/nodes', (ctx) => {
    ctx.set('Cache-Control', 'no-store')
    ctx.body = nodes.map(({ report }) => report)
  })
  routes.post(
    '/nodes/:name/kill',
    refuseOtherSites,
    order((node) => node.kill()),
  )
  routes.post(
    '/nodes/:name/restart',
    refuseOtherSites,
    order((node) => node.restartGently()),
  )

  const app = new Koa()
  app.use(routes.routes())
  return app
}

/** A page of another site that is open in the same browser must not end anything. Who says neither is no page. */
async function refuseOtherSites(ctx: Koa.Context, next: Koa.Next): Promise<void> {
  const [site, origin] = [ctx.get('Sec-Fetch-Site'), ctx.get('Origin')]
  const isOwn = site ? site === 'same-origin' : !origin || origin === `http://${ctx.get('Host')}`
  if (!isOwn) ctx.throw(403)
  await next()
}
