import Koa from 'koa'
import { CometStateManager } from 'koa-comet'
import { SqliteCometStateProvider } from 'koa-comet/providers/sqlite'
import { pages } from './page-html.ts'

/**
 * A channel over the SQLite file FILE, with its page, at PORT. `/send?number=1` sends a number, once however often it is
 * asked. It ends on SIGTERM: over a second, in which it still sends.
 */
const channel = new CometStateManager(new SqliteCometStateProvider(process.env.FILE!), {
  register: () => ({}),
})
await channel.open()

const app = new Koa()
// What is sent while it closes may be refused.
app.silent = true
app.use(pages)
app.use(channel.mount('/comet'))
app.use(async (ctx) => {
  const number = Number(ctx.query.number)
  ctx.body = { id: await channel.sendMessage('Number', number, { key: `number ${number}` }) }
})
const server = app.listen(Number(process.env.PORT), '127.0.0.1')

process.once('SIGTERM', async () => {
  await channel.close({ overSeconds: 1 })
  server.close()
  server.closeAllConnections()
})
