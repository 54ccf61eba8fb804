import { afterAll, afterEach, beforeAll, beforeEach, expect } from '@jest/globals'
import { type ConsumerFolder, consumerFolder } from '../support/consumer-folder.ts'
import { glance, poll } from '../support/page.ts'
import { testWithRedis as test } from '../support/redis/redis-available.ts'
import { disposeServers, type RedisServer, startServer as startRedis } from '../support/redis/redis-server.ts'
import { freePort, type RunningModule, startServer } from '../support/running-module.ts'
import { block, replaced } from './blocks.ts'
import { startSentinel } from './sentinel.ts'

const BEFORE = `
import Koa from 'koa'
import { CometStateManager } from 'koa-comet'
`

const IMPORTS = `
import { RedisCometStateProvider } from 'koa-comet/providers/redis'
import { createClient } from 'redis'

`

const CHANNEL = `
const channel = new CometStateManager(provider, { register: () => ({ displayName: 'Guest' }) })
`

const AFTER = `
const app = new Koa()
app.use(async (ctx, next) => {
  if (ctx.path !== '/say') return next()
  ctx.body = { id: await channel.sendMessage('Said', process.pid) }
})
app.use(channel.mount('/comet'))
`

let folder: ConsumerFolder
let redis: RedisServer
const nodes: RunningModule[] = []

beforeAll(async () => {
  folder = await consumerFolder('koa', 'koa-comet', 'redis')
})
afterAll(() => folder.remove())

beforeEach(async () => {
  redis = await startRedis()
})
afterEach(async () => {
  for (const node of nodes.splice(0)) await node.stop()
  await disposeServers()
})

async function start(code: string): Promise<RunningModule> {
  const port = await freePort()
  await folder.write(`${port}.js`, `${BEFORE}${code}${AFTER}app.listen(${port}, '127.0.0.1')\n`)
  const node = await startServer([process.execPath, `${port}.js`], folder.path, port, {
    REDIS_URL: redis.url,
  })
  nodes.push(node)
  return node
}

async function register({ origin }: RunningModule): Promise<string> {
  const response = await fetch(`${origin}/comet/register`, { method: 'POST' })
  return ((await response.json()) as { privateToken: string }).privateToken
}

test('Two nodes as the README has them serve the same page, also when one of them is killed', async () => {
  const [one, other] = [await start(block('redis')), await start(block('redis'))]
  const privateToken = await register(one!)
  const { cursor } = await glance(`${one!.origin}/comet`, privateToken)
  const held = poll(`${other!.origin}/comet`, privateToken, { cursor: cursor! })
  await fetch(`${one!.origin}/say`)
  const { messages, cursor: next } = await held
  expect(messages.map(({ n }) => n)).toEqual(['Said'])
  await one!.stop()
  await fetch(`${other!.origin}/say`)
  const last = await glance(`${other!.origin}/comet`, privateToken, { cursor: next! })
  expect([last.outcome, last.messages.map(({ n }) => n)]).toEqual(['resumed', ['Said']])
})

test('A node that asks a Sentinel as the provider’s page has it follows the primary to another server', async () => {
  const replica = await startRedis()
  await replica.replicaOf(redis)
  const sentinel = await startSentinel(redis, folder.path)
  const asking = replaced(block('sentinel'), '26379', String(sentinel.port))
  const node = await start(`${IMPORTS}${asking}${CHANNEL}`)
  try {
    const privateToken = await register(node)
    const first = await glance(`${node.origin}/comet`, privateToken)
    await sentinel.failOver()
    // The old primary becomes a replica, which refuses writes. The page is told of another life of the log.
    let after = first
    while (after.status !== 200 || after.outcome !== 'reset') {
      after = await glance(`${node.origin}/comet`, privateToken, { cursor: first.cursor! })
    }
    expect(String(await replica.command('ROLE'))).toMatch(/^master/)
    await fetch(`${node.origin}/say`)
    const last = await glance(`${node.origin}/comet`, privateToken, { cursor: after.cursor! })
    expect([last.outcome, last.messages.map(({ n }) => n)]).toEqual(['resumed', ['Said']])
  } finally {
    await sentinel.end()
  }
})
