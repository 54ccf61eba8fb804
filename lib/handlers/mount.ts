import Router from '@koa/router'
import type { Middleware } from 'koa'

/** A path as a person writes it: no trailing slash, nothing that a router would take for a pattern. */
const PATH = /^(?:\/[A-Za-z0-9._~-]+)+$/

/** What is mounted: the subscribe address itself, and those beside it, by name. */
export interface Mounted {
  readonly subscribe: Middleware
  readonly beside: ReadonlyMap<string, Middleware>
}

/** @throws TypeError for a path that no channel can be mounted at */
export function checkPath(path: string): void {
  if (PATH.test(path)) return
  throw new TypeError(`A channel is mounted at a path such as '/comet', not ${JSON.stringify(path)}.`)
}

/**
 * One middleware for all addresses of a channel. What is not one of them goes on to the next middleware.
 * @param path as `ctx.path` shows it where this is used: whole below a router's prefix, stripped below koa-mount
 */
export function mountAt(path: string, { subscribe, beside }: Mounted): Middleware {
  checkPath(path)
  const router = new Router({ prefix: path, sensitive: true, strict: true })
  for (const [name, endpoint] of beside) router.all(`/${name}`, endpoint)
  const routes = router.routes() as unknown as Middleware
  return function cometMount(ctx, next) {
    // Not by the router: what it keeps of a request would be kept for as long as the request is held.
    // And by the URL first: a parsed path would be kept as well.
    if (ctx.url === path || ctx.path === path || ctx.path === `${path}/`) return subscribe(ctx, next)
    return ctx.path.startsWith(`${path}/`) ? routes(ctx, next) : next()
  }
}
