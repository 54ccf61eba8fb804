import { afterEach, beforeEach, describe, expect, jest } from '@jest/globals'
import { RedisCometStateProvider } from 'koa-comet/providers/redis'
import { createClient } from 'redis'
import { send } from '../../providers/contract/operations.ts'
import { ProviderNode } from '../../providers/contract/provider-node.ts'
import { AMPLE_RETENTION } from '../../providers/contract/provider-nodes.ts'
import { RecordingListener } from '../../providers/contract/recording-listener.ts'
import type { RedisClientSource } from '../../providers/redis/connection.ts'
import { eventually } from '../support/eventually.ts'
import { testWithRedis as test } from '../support/redis/redis-available.ts'
import { RedisLine } from '../support/redis/redis-line.ts'
import { disposeServers, type RedisServer, startServer } from '../support/redis/redis-server.ts'

const LOG = '{koa-comet:chat}:log'

/** Short, since it is waited for, and long enough for a server on a machine that has much to do. */
const TIMEOUT_SECONDS = 1

/** Three entries are too much for what a {@link RedisLine} carries in these tests, two are not. */
const LARGE = { contents: JSON.stringify('x'.repeat(10_000)) }
const TWO_ENTRIES_BYTES = 25_000

let server: RedisServer
let line: RedisLine
const opened: RedisCometStateProvider[] = []

beforeEach(async () => {
  server = await startServer()
  line = new RedisLine(server)
  await line.open()
})

afterEach(async () => {
  jest.restoreAllMocks()
  for (const provider of opened.splice(0)) await provider.close()
  await line.close()
  await disposeServers()
})

async function openNode(source: RedisClientSource, timeoutSeconds = TIMEOUT_SECONDS) {
  const provider = new RedisCometStateProvider(source, { timeoutSeconds })
  opened.push(provider)
  const listener = new RecordingListener()
  const unavailable = jest.spyOn(listener, 'unavailable')
  const entries = jest.spyOn(listener, 'entries')
  await provider.open('chat', listener, AMPLE_RETENTION)
  return { node: new ProviderNode(provider, listener), unavailable, entries }
}

const openByLine = (timeoutSeconds?: number) => openNode(createClient({ url: line.url }), timeoutSeconds)
const openByItself = () => openNode(createClient({ url: server.url }))

const names = ({ listener }: ProviderNode) =>
  listener.told.flatMap((entry) => (entry.kind === 'message' ? entry.name : []))

const numbered = (count: number) => Array.from({ length: count }, (_, index) => `${index}`)

/** The next entry of the log. */
async function addRiddle(): Promise<void> {
  const script = `
    local id = string.format('%.0f', redis.call('HGET', KEYS[2], 'head') + 1)
    redis.call('XADD', KEYS[1], id .. '-0', 'riddle', '0 0')
    redis.call('HSET', KEYS[2], 'head', id, 'entries', redis.call('HGET', KEYS[2], 'entries') + 1)`
  await server.command('EVAL', script, '2', LOG, '{koa-comet:chat}:channel')
}

describe('A stream that cannot be read', () => {
  const user = (rule: string) => server.command('ACL', 'SETUSER', 'default', rule)
  const troubles = [
    ['the user may not do it any more', () => user('-xread'), () => user('+xread')],
    ['commands that wait are refused', () => line.refuse(/BLOCK/), () => line.refuse()],
    ['commands that wait for long are refused', () => line.refuse(/BLOCK\r\n\$3/), () => line.refuse()],
    // Of a new life of the log nothing is a riddle.
    ['nobody knows what an entry means', addRiddle, () => server.command('FLUSHALL')],
  ] as const

  for (const [since, begin, end] of troubles) {
    test(`is said to be unavailable, and tried again with growing pauses, since ${since}`, async () => {
      const { node, unavailable } = await openByLine()
      line.connectedAt.length = 0
      await begin()
      // Each attempt is by a new connection: one at once, and then behind 20, 40, 80, 160 and 320 ms, or more.
      await eventually(() => line.connectedAt.length >= 6)
      expect(line.connectedAt[5]! - line.connectedAt[0]!).toBeGreaterThan(600)
      expect(unavailable).toHaveBeenCalled()
      await end()
      await eventually(() => node.listener.isAvailable)
      const id = await node.appendOne(send('After'))
      expect((await node.told()).at(-1)).toMatchObject({ name: 'After', id })
    })
  }

  test('is said to be unavailable once, until it was read again', async () => {
    line.refuse(/BLOCK/)
    const { node, unavailable } = await openByLine()
    await eventually(() => unavailable.mock.calls.length > 0)
    const { calls } = node.listener
    const attempts = line.connectedAt.length
    await eventually(() => line.connectedAt.length >= attempts + 3)
    expect(node.listener.calls).toBe(calls)
  })

  test('is found out when the channel is opened, and the error says what is to be done', async () => {
    const rules = '~{koa-comet:* +@read +@write +@scripting +@connection +info +time -@blocking'.split(' ')
    await server.command('ACL', 'SETUSER', 'app', 'on', '>secret', ...rules)
    const opening = openNode(createClient({ url: server.url, username: 'app', password: 'secret' }))
    await expect(opening).rejects.toThrow(/the README of the provider says .* 'xread'/)
    line.refuse(/XREAD/)
    await expect(openByLine()).rejects.toThrow('not supported here')
  })
})

describe('A line that carries less in the time of an answer than there is to read', () => {
  test('is followed all the same, while pages ask for what comes last, and is asked for more when it carries more', async () => {
    const { node, unavailable } = await openByLine()
    const { node: other } = await openByItself()
    line.carriesBytes = TWO_ENTRIES_BYTES
    await other.append(...numbered(8).map((name) => send(name, LARGE)))
    let looks = 0
    await eventually(() => {
      // They give up before it comes.
      if (looks++ % 20 === 0) node.provider.catchUp().catch(() => {})
      return names(node).length === 8
    })
    expect(names(node)).toEqual(numbered(8))
    expect(unavailable).not.toHaveBeenCalled()
    expect(line.asked('COUNT').at(-1)).toBeLessThan(8)
    line.carriesBytes = Number.POSITIVE_INFINITY
    await other.append(...numbered(100).map((name) => send(name, LARGE)))
    await eventually(() => names(node).length === 108)
    expect(line.asked('COUNT').at(-1)).toBeGreaterThan(8)
  })

  test('suffices to open a channel with a large window, though that takes longer than a call may', async () => {
    const { node: other } = await openByItself()
    await other.append(...numbered(16).map((name) => send(name, LARGE)))
    line.carriesBytes = TWO_ENTRIES_BYTES
    const { node } = await openByLine()
    expect(node.listener.log.entries).toEqual(await other.told())
  })

  test('is unavailable while not one entry comes, and all is told when it comes', async () => {
    const { node, unavailable } = await openByLine()
    const { node: other } = await openByItself()
    line.carriesBytes = 5000
    await other.append(send('Large', LARGE), send('Small'))
    await eventually(() => unavailable.mock.calls.length > 0)
    expect(names(node)).toEqual([])
    line.carriesBytes = TWO_ENTRIES_BYTES
    await eventually(() => node.listener.isAvailable && names(node).length === 2)
    expect(unavailable).toHaveBeenCalledTimes(1)
  })
})

test('A read waits five seconds at most, however long a call may take: a server that has died is noticed', async () => {
  await openByLine(600)
  await eventually(() => line.asked('BLOCK').length > 0)
  expect(line.asked('BLOCK')).toEqual([5000])
})

test('The server that has said where its log is is the one whose stream is read', async () => {
  const other = await startServer()
  const { epoch, head } = (await openByItself()).node.listener.log
  // What would come next, if it were of the same log.
  await other.command('XADD', LOG, `${head + 1}-0`, 'message 1 *Foreign', '0 0 ""')
  let url = server.url
  /** Whose connections end as soon as a script has been answered, and then the other server is the primary. */
  function source() {
    const client = createClient({ url })
    const duplicate = client.duplicate.bind(client)
    jest.spyOn(client, 'duplicate').mockImplementation((overrides) => {
      const own = duplicate(overrides)
      const ask = own.sendCommand.bind(own)
      jest.spyOn(own, 'sendCommand').mockImplementation(async (args) => {
        const reply = await ask(args)
        if (url === server.url && String(args[0]).startsWith('EVAL')) {
          url = other.url
          own.destroy()
        }
        return reply
      })
      return own
    })
    return client
  }
  const { node, entries } = await openNode(source)
  await eventually(() => node.listener.log.epoch !== epoch)
  expect(entries).not.toHaveBeenCalled()
})
