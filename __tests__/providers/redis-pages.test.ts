import { afterAll, afterEach, describe, expect } from '@jest/globals'
import type { CometOptions } from 'koa-comet'
import { RedisCometStateProvider } from 'koa-comet/providers/redis'
import { createClient } from 'redis'
import { eventually } from '../support/eventually.ts'
import { testWithRedis as test } from '../support/redis/redis-available.ts'
import { RedisGate } from '../support/redis/redis-gate.ts'
import { disposeServers, startServer } from '../support/redis/redis-server.ts'
import { closeSites, openSite } from '../support/site.ts'
import { overEachTransport } from '../support/transports.ts'

const KEPT = { appendonly: 'yes', appendfsync: 'always' }
const TIMEOUT_SECONDS = 1

const gates: RedisGate[] = []

afterEach(async () => {
  await closeSites()
  for (const gate of gates.splice(0)) await gate.close()
  await disposeServers()
})

afterAll(disposeServers)

/** Two nodes over one server, each behind a gate of its own. */
async function openNodes(options: CometOptions = {}) {
  const server = await startServer({ config: KEPT })
  const nodes = await Promise.all(
    [1, 2].map(async () => {
      const gate = await RedisGate.open(server.port)
      gates.push(gate)
      const client = createClient({ url: gate.url })
      const provider = new RedisCometStateProvider(client, { timeoutSeconds: TIMEOUT_SECONDS })
      const site = await openSite({ provider, options })
      await site.channel.open()
      return { ...site, gate }
    }),
  )
  return { server, one: nodes[0]!, other: nodes[1]! }
}

overEachTransport(({ glance, poll }) => {
  describe('A page of a channel on Redis', () => {
    test('goes on at another node, with whatever was sent meanwhile, in order', async () => {
      const { one, other } = await openNodes()
      const { privateToken, publicToken } = await one.newClient()
      let { cursor } = await glance(one.url, privateToken)
      for (const index of [1, 2, 3, 4]) {
        const [sender, server] = index % 2 === 0 ? [one, other] : [other, one]
        await sender.channel.sendMessage('M', index, { to: publicToken })
        const answer = await glance(server.url, privateToken, { cursor: cursor! })
        expect([answer.outcome, answer.messages.map(({ c }) => c)]).toEqual(['resumed', [index]])
        cursor = answer.cursor
      }
    })

    test('is told at once when the server was restarted, and goes on; its client is there', async () => {
      const { server, one, other } = await openNodes()
      const [ann, bob] = [await one.newClient(), await other.newClient()]
      const held = [poll(one.url, ann.privateToken), poll(other.url, bob.privateToken)]
      await one.holds(1)
      await other.holds(1)
      await server.kill()
      await server.restart(KEPT)
      for (const { outcome, messages } of await Promise.all(held)) {
        expect([outcome, messages.map(({ c }) => (c as { reason: string }).reason)]).toEqual([
          'reset',
          ['epoch'],
        ])
      }
      const { cursor } = await held[0]!
      await other.channel.sendMessage('M', 1)
      const answer = await glance(one.url, ann.privateToken, { cursor: cursor! })
      expect([answer.outcome, answer.messages.map(({ c }) => c)]).toEqual(['resumed', [1]])
    })

    test('stays held while the server is away, and gets what is sent afterwards', async () => {
      const { one, other } = await openNodes()
      const { privateToken } = await one.newClient()
      const held = poll(one.url, privateToken)
      await one.holds(1)
      for (const { gate } of [one, other]) gate.cut()
      await eventually(() => one.errors.length > 0 && other.errors.length > 0)
      await expect(one.channel.sendMessage('M', 0)).rejects.toMatchObject({
        code: 'COMET_PROVIDER_IS_UNAVAILABLE',
      })
      expect(one.channel.stats().heldRequests).toBe(1)
      for (const { gate } of [one, other]) gate.mend()
      let sent: number | undefined
      while (sent === undefined) sent = await other.channel.sendMessage('M', 1).catch(() => undefined)
      const { outcome, messages } = await held
      expect([outcome, messages.map(({ c }) => c)]).toEqual(['resumed', [1]])
    })

    test('is told to come again by a node that is cut off, and served by the other', async () => {
      const { one, other } = await openNodes()
      const { privateToken } = await other.newClient()
      one.gate.stall()
      await eventually(() => one.errors.length > 0)
      expect(await fetch(one.url, { headers: { Authorization: `Bearer ${privateToken}` } })).toMatchObject({
        status: 503,
      })
      await other.channel.sendMessage('M', 1)
      const { messages } = await glance(other.url, privateToken)
      expect(messages.map(({ c }) => c)).toEqual([1])
    })
  })
})

describe('A send while the server is frozen', () => {
  test('is refused in time, with a bounded queue, and none of it is done later', async () => {
    const { server, one, other } = await openNodes({ maxQueuedOperations: 10 })
    server.freeze()
    const sends = await Promise.allSettled(
      Array.from({ length: 50 }, (_, index) => one.channel.sendMessage('M', index)),
    )
    const codes = sends.map((sent) => (sent as PromiseRejectedResult).reason.code as string)
    expect([...new Set(codes)].sort()).toEqual(['COMET_PROVIDER_IS_UNAVAILABLE', 'COMET_QUEUE_IS_FULL'])
    expect(codes.filter((code) => code === 'COMET_QUEUE_IS_FULL').length).toBeGreaterThanOrEqual(40)
    server.thaw()
    let sent: number | undefined
    while (sent === undefined) sent = await one.channel.sendMessage('M', 'after').catch(() => undefined)
    await eventually(() => other.channel.getMessages().length > 0)
    expect(other.channel.getMessages().map(({ contents }) => contents)).toEqual(['after'])
  })
})
