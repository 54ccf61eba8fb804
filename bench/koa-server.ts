import Koa from 'koa'
import { serveHeldResponses } from './held-responses.ts'

/** What Koa costs by itself: an app that gives each response away, as the channel's middleware does. */
serveHeldResponses((hold) =>
  new Koa()
    .use((ctx) => {
      ctx.respond = false
      hold(ctx.res)
    })
    .callback(),
)
