import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import Koa from 'koa'
import { CometStateManager } from '../../lib/index.ts'
import { SqliteCometStateProvider } from '../../providers/sqlite/index.ts'
import { answer, given, tell } from './sqlite-child.ts'

/** The program of a process that serves a channel over a file, as an app does. */

const { file, aheadMs, ...options } = given<{ file: string; aheadMs: number }>()
let ahead = aheadMs
const provider = new SqliteCometStateProvider(file, { ...options, now: () => Date.now() + ahead })
const channel = new CometStateManager(provider)
channel.on('clientDisconnected', ({ publicToken }, { reason }) => {
  tell({ heard: 'disconnected', value: [publicToken, reason] })
})
const app = new Koa()
app.use(channel.mount('/comet'))
const server = createServer(app.callback())
server.listen(0, '127.0.0.1')
server.on('listening', () => {
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  answer({
    url: () => `${origin}/comet`,
    open: () => channel.open(),
    initialize: (parameters: never) => channel.initializeClient(parameters),
    send: (name: string, contents: unknown, sendOptions: never) =>
      channel.sendMessage(name, contents, sendOptions),
    stop: (publicToken: string) => channel.stopClient(publicToken),
    advance: (ms: number) => {
      ahead += ms
    },
    sweep: () => provider.removeExpired(),
    stats: () => channel.stats(),
    close: () => channel.close(),
  })
})
