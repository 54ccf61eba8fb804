import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { type ConsumerFolder, consumerFolder } from '../support/consumer-folder.ts'
import { glance } from '../support/page.ts'
import { freePort, type RunningModule, startServer } from '../support/running-module.ts'
import { block } from './blocks.ts'

/** What an app has before the block. */
const BEFORE = `
import Router from '@koa/router'
import Database from 'better-sqlite3'
import Koa from 'koa'
import bodyParser from 'koa-bodyparser'
import { CometStateManager } from 'koa-comet'
import { SqliteCometStateProvider } from 'koa-comet/providers/sqlite'

const app = new Koa()
app.silent = true
app.use(bodyParser())
const router = new Router()
const channel = new CometStateManager(new SqliteCometStateProvider('shop.db'))
await channel.open()
const db = new Database('shop.db')
db.exec('CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, goods TEXT NOT NULL)')
`

const AFTER = `
router.post('/orders', (ctx) => {
  ctx.body = { id: order(ctx.request.body.goods) }
})
router.post('/client', async (ctx) => {
  ctx.body = await channel.initializeClient({ publicToken: 'ann' })
})
app.use(router.routes()).use(channel.mount('/comet'))
`

let folder: ConsumerFolder
let server: RunningModule

beforeAll(async () => {
  folder = await consumerFolder('@koa/router', 'better-sqlite3', 'koa', 'koa-bodyparser', 'koa-comet')
})
afterAll(() => folder.remove())

beforeEach(start)
afterEach(() => server.stop())

async function start(): Promise<void> {
  const port = await freePort()
  await folder.write('shop.js', `${BEFORE}${block('transaction')}${AFTER}app.listen(${port}, '127.0.0.1')\n`)
  server = await startServer([process.execPath, 'shop.js'], folder.path, port)
}

async function post(path: string, body: object = {}): Promise<Response> {
  const headers = { 'Content-Type': 'application/json' }
  return fetch(server.origin + path, { method: 'POST', headers, body: JSON.stringify(body) })
}

test('The transaction of the README: an order and its message are there together, also after kill -9, or not at all', async () => {
  const { privateToken } = (await (await post('/client')).json()) as { privateToken: string }
  const told = async () => {
    const { messages, outcome } = await glance(`${server.origin}/comet`, privateToken)
    return [outcome, ...messages.filter(({ n }) => n === 'Ordered').map(({ c }) => c)]
  }
  expect(await (await post('/orders', { goods: 'tea' })).json()).toEqual({ id: 1 })
  expect(await told()).toEqual(['resumed', { id: 1, goods: 'tea' }])
  // No goods: the order is refused by the table.
  expect((await post('/orders')).status).toBe(500)
  await server.stop()
  await start()
  expect(await (await post('/orders', { goods: 'milk' })).json()).toEqual({ id: 2 })
  expect(await told()).toEqual(['resumed', { id: 1, goods: 'tea' }, { id: 2, goods: 'milk' }])
})
