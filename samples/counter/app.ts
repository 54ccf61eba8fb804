import Router from '@koa/router'
import Koa from 'koa'
import { CometStateManager } from 'koa-comet'
import { InProcCometStateProvider } from 'koa-comet/providers/in-proc'
import serve from 'koa-static'
import { pageFolder } from '../page-folder.ts'

const PERIOD_MS = 1000

const CONTENT_SECURITY_POLICY =
  "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

export interface Counter {
  readonly app: Koa
  readonly channel: CometStateManager
  /** Ends the notifications. */
  stop(): void
}

/** A channel that pages register at by themselves, and a counter that is sent to all of them. Nothing listens yet. */
export function createCounter(): Counter {
  const channel = new CometStateManager(new InProcCometStateProvider(), {
    register: () => ({}),
    // Short, so that one sees the timeouts while the notifications are stopped.
    connectionTimeoutSeconds: 5,
  })
  let count = 0
  let timer: NodeJS.Timeout | undefined

  function state(): { count: number; isRunning: boolean } {
    return { count, isRunning: timer !== undefined }
  }

  function tell(): void {
    channel.sendMessage('Counter', state()).catch(console.error)
  }

  function start(): void {
    timer ??= setInterval(() => {
      count += 1
      tell()
    }, PERIOD_MS)
  }

  function stop(): void {
    clearInterval(timer)
    timer = undefined
  }

  const routes = new Router()
  routes.get('/state', (ctx) => {
    ctx.body = state()
  })
  routes.post('/start', (ctx) => {
    start()
    tell()
    ctx.status = 204
  })
  routes.post('/stop', (ctx) => {
    stop()
    tell()
    ctx.status = 204
  })

  const app = new Koa()
  app.use(async function protectPage(ctx, next) {
    ctx.set({ 'Content-Security-Policy': CONTENT_SECURITY_POLICY, 'X-Content-Type-Options': 'nosniff' })
    await next()
  })
  app.use(channel.mount('/comet'))
  app.use(routes.routes())
  app.use(serve(pageFolder(import.meta.dirname)))
  start()
  return { app, channel, stop }
}
