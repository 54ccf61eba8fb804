import { once } from 'node:events'
import { createServer } from 'node:http'
import Koa from 'koa'
import { CometStateManager } from 'koa-comet'
import { SqliteCometStateProvider } from 'koa-comet/providers/sqlite'
import { obey, say } from './campaign-child.ts'
import { MESSAGE_NAME } from './numbered.ts'

/** A Koa app with a channel over SQLite, which publishes what it is asked to over HTTP. Lives until it is killed. */

export interface ServeOrder {
  readonly file: string
  readonly port: number
}

/** Said when it listens. */
export interface ServeSaid {
  /** The highest id of the log when it was opened. */
  readonly head: number
}

const RETENTION = { messages: 20_000 }

obey(async ({ file, port }: ServeOrder) => {
  const channel = new CometStateManager(new SqliteCometStateProvider(file), {
    register: () => ({}),
    retention: RETENTION,
  })
  await channel.open()
  const { messageId: head } = channel.cursor()
  const app = new Koa()
  // What a kill cuts is what this is about.
  app.silent = true
  app.use(channel.mount('/comet'))
  app.use(async (ctx) => {
    const numbers = String(ctx.query.numbers).split(',').map(Number)
    ctx.body = await Promise.all(
      numbers.map((number) => channel.sendMessage(MESSAGE_NAME, number, { key: String(number) })),
    )
  })
  const server = createServer(app.callback())
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  say({ head } satisfies ServeSaid)
})
