import { afterEach, describe, expect, test } from '@jest/globals'
import type { RetainedLog } from 'koa-comet'
import { InProcCometStateProvider, InProcStorage } from 'koa-comet/providers/in-proc'
import { eventually } from '../support/eventually.ts'
import { hangingCall } from '../support/hanging-call.ts'
import { ProviderWrapper } from '../support/provider-wrapper.ts'
import { closeSites, openSite, type Site } from '../support/site.ts'
import { overEachTransport } from '../support/transports.ts'
import { openNode, openTwoNodes } from '../support/two-nodes.ts'

afterEach(closeSites)

/** A provider whose listener the test tells of a new beginning. */
class BeginningAnew extends ProviderWrapper {
  isCutOff = false
  tell(log: RetainedLog): void {
    this.listener?.reset(log)
  }
  protected override feed(entries: Parameters<ProviderWrapper['feed']>[0]): void {
    if (!this.isCutOff) super.feed(entries)
  }
}

async function openCuttable(): Promise<{
  cuttable: Site & { provider: BeginningAnew }
  other: Site
  storage: InProcStorage
}> {
  const storage = new InProcStorage()
  const provider = new BeginningAnew(new InProcCometStateProvider({ storage }))
  const site = await openSite({ provider })
  const other = await openSite({ provider: new InProcCometStateProvider({ storage }) })
  await site.channel.open()
  await other.channel.open()
  return { cuttable: { ...site, provider }, other, storage }
}

overEachTransport(({ glance, poll }) => {
  describe('When the log is lost', () => {
    test('every held request is told so at once, with the position from which nothing is missing', async () => {
      const node = await openNode()
      const clients = await Promise.all([1, 2, 3].map(() => node.newClient()))
      const held = clients.map(({ privateToken }) => poll(node.url, privateToken))
      await node.holds(3)
      node.gate.loseLog('second-life')
      for (const { outcome, messages, cursor } of await Promise.all(held)) {
        const { trimmedThrough } = node.channel.stats()
        const reset = { reason: 'epoch', epoch: 'second-life', messageId: trimmedThrough }
        expect(messages).toEqual([{ mid: trimmedThrough, n: 'aspNetComet.reset', c: reset }])
        expect([outcome, cursor]).toEqual(['reset', `second-life:${trimmedThrough}`])
      }
    })

    test('each node tells its app so, with the names of both lives, and nothing when it only reads its window anew', async () => {
      const { lagging, current } = await openTwoNodes()
      const told: unknown[] = []
      lagging.channel.on('reset', (detail) => told.push(['lagging', detail]))
      current.channel.on('reset', (detail) => told.push(['current', detail]))
      const { epoch: previous } = lagging.channel.stats()
      lagging.gate.loseLog(previous)
      lagging.gate.loseLog('second-life')
      await eventually(() => told.length > 0)
      expect(told).toEqual([['lagging', { epoch: 'second-life', previous }]])
    })

    test('one reset is told, and then everything of the new life in order', async () => {
      const node = await openNode()
      const { privateToken } = await node.newClient()
      const held = poll(node.url, privateToken)
      await node.holds(1)
      node.gate.loseLog('second-life')
      let { cursor } = await held
      for (let index = 1; index <= 3; index++) {
        await node.channel.sendMessage('M', index)
        const answer = await glance(node.url, privateToken, { cursor: cursor! })
        expect([answer.outcome, answer.messages.map(({ c }) => c)]).toEqual(['resumed', [index]])
        cursor = answer.cursor
      }
    })

    test('who comes later with an old cursor, or with none, is told so, and gets what is retained after it', async () => {
      const node = await openNode()
      const [ann, bob] = [await node.newClient(), await node.newClient()]
      const { cursor } = await glance(node.url, ann.privateToken)
      node.gate.loseLog('second-life')
      await node.channel.sendMessage('AfterTheLoss', 1)
      for (const [privateToken, old] of [
        [ann.privateToken, cursor!],
        [bob.privateToken, undefined],
      ] as const) {
        const { outcome, messages } = await glance(node.url, privateToken, { cursor: old })
        expect([outcome, messages.map(({ n }) => n)]).toEqual([
          'reset',
          ['aspNetComet.reset', 'AfterTheLoss'],
        ])
      }
    })

    test('a message that was woken for but not yet written is not silently gone', async () => {
      const node = await openNode()
      const { privateToken } = await node.newClient()
      const held = poll(node.url, privateToken)
      await node.holds(1)
      node.gate.hold()
      await node.channel.sendMessage('Doomed', 1)
      // In one turn: what is told is written when its provider is done with telling.
      node.gate.release()
      node.gate.loseLog('second-life')
      const { messages } = await held
      const names = messages.map(({ n }) => n)
      expect([['Doomed'], ['aspNetComet.reset']]).toContainEqual(names)
    })

    test('what is late for a client of before does not cut off the one that has its tokens by now', async () => {
      const { channel, gate, newClient, url, holds } = await openNode()
      const bob = { publicToken: 'bob', privateToken: 'the-token-of-both-0123456789' }
      await newClient(bob)
      await glance(url, bob.privateToken, { headers: { 'Comet-Page': 'before;new' } })
      const { asked, letGo } = hangingCall(gate, 'renewLeases', 'before')
      const late = glance(url, bob.privateToken, { headers: { 'Comet-Page': 'late' } })
      await asked
      gate.loseLog()
      await channel.killIdleCometClient(bob.privateToken)
      await newClient(bob)
      const held = poll(url, bob.privateToken, { headers: { 'Comet-Page': 'after;new' } })
      await eventually(() => channel.stats().knownClients === 1)
      letGo()
      expect((await late).messages).toMatchObject([{ n: 'aspNetComet.replaced' }])
      await holds(1)
      await channel.killIdleCometClient(bob.privateToken)
      await newClient({ publicToken: 'bob' })
      await channel.sendMessage('ForTheNextBob', 'secret', { to: 'bob' })
      expect((await held).messages).toMatchObject([{ code: 'COMET_TOKEN_IS_UNKNOWN' }])
    })

    test('a client of the second node that has not heard of it is not told of a reset there', async () => {
      const { lagging, current } = await openTwoNodes()
      const { privateToken } = await current.newClient()
      await glance(current.url, privateToken)
      lagging.gate.loseLog('second-life')
      expect((await glance(current.url, privateToken)).outcome).toBe('resumed')
    })
  })

  describe('When the retained window has to be taken anew, in the same life', () => {
    test('a held request goes on with it, and loses nothing', async () => {
      const { cuttable, other, storage } = await openCuttable()
      const { privateToken } = await other.newClient()
      const held = poll(cuttable.url, privateToken)
      await cuttable.holds(1)
      cuttable.provider.isCutOff = true
      await other.channel.sendMessage('WhileCutOff', 1)
      cuttable.provider.tell(storage.channel('comet').retainedLog())
      let { cursor, messages } = await held
      if (messages[0]?.n !== 'WhileCutOff') {
        expect(messages).toMatchObject([{ n: 'aspNetComet.timeout' }])
        messages = (await glance(cuttable.url, privateToken, { cursor: cursor! })).messages
      }
      expect(messages.map(({ n }) => n)).toEqual(['WhileCutOff'])
    })

    test('a held request of a client that was removed meanwhile sees nothing that was sent to the next bearer', async () => {
      const { cuttable, other, storage } = await openCuttable()
      const { privateToken } = await other.newClient({ publicToken: 'bob' })
      const held = poll(cuttable.url, privateToken)
      await cuttable.holds(1)
      cuttable.provider.isCutOff = true
      await other.channel.killIdleCometClient(privateToken)
      await other.newClient({ publicToken: 'bob' })
      await other.channel.sendMessage('ForTheNextBob', 'secret', { to: 'bob' })
      cuttable.provider.tell(storage.channel('comet').retainedLog())
      const { cursor, messages } = await held
      expect(messages.map(({ n }) => n)).not.toContain('ForTheNextBob')
      const next = await glance(cuttable.url, privateToken, { cursor: cursor! })
      expect([next.status, next.messages[0]?.code]).toEqual([401, 'COMET_TOKEN_IS_UNKNOWN'])
    })

    test('nor in a new life of the log', async () => {
      const { cuttable, other, storage } = await openCuttable()
      const { privateToken } = await other.newClient({ publicToken: 'bob' })
      const held = poll(cuttable.url, privateToken)
      await cuttable.holds(1)
      cuttable.provider.isCutOff = true
      await other.channel.killIdleCometClient(privateToken)
      await other.newClient({ publicToken: 'bob' })
      await other.channel.sendMessage('ForTheNextBob', 'secret', { to: 'bob' })
      cuttable.provider.tell({ ...storage.channel('comet').retainedLog(), epoch: 'second-life' })
      const { outcome, messages } = await held
      expect([outcome, messages.map(({ n }) => n)]).toEqual(['reset', ['aspNetComet.reset']])
    })
  })

  describe('When the store is out of reach', () => {
    test('held requests stay held, and end with 503 and not with a timeout', async () => {
      const node = await openNode(new InProcStorage(), { keepAliveSeconds: 0.05 })
      const { privateToken } = await node.newClient({ connectionTimeoutSeconds: 0.05 })
      const held = poll(node.url, privateToken)
      await node.holds(1)
      node.gate.goAway()
      const { status, headers, messages } = await held
      expect([status, messages[0]?.code]).toEqual([503, 'COMET_PROVIDER_IS_UNAVAILABLE'])
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
    })

    test('new requests are told 503, the app is told, and all goes on without a reset when it is back', async () => {
      const node = await openNode()
      const { privateToken } = await node.newClient()
      const { cursor } = await glance(node.url, privateToken)
      node.gate.goAway(new Error('gone'))
      expect((await glance(node.url, privateToken, { cursor: cursor! })).status).toBe(503)
      await expect(node.channel.sendMessage('M', 1)).rejects.toMatchObject({
        code: 'COMET_PROVIDER_IS_UNAVAILABLE',
      })
      expect(node.errors).toEqual([expect.objectContaining({ cause: new Error('gone') })])
      node.gate.comeBack()
      await node.channel.sendMessage('M', 2)
      const { outcome, messages } = await glance(node.url, privateToken, { cursor: cursor! })
      expect([outcome, messages.map(({ c }) => c)]).toEqual(['resumed', [2]])
    })

    test('a request that was on its way meanwhile is told 503 as well', async () => {
      const asked: (() => void)[] = []
      const identify = () => new Promise<null>((resolve) => asked.push(() => resolve(null)))
      const node = await openNode(new InProcStorage(), { identify })
      const { privateToken } = await node.newClient()
      const first = glance(node.url, privateToken)
      await eventually(() => asked.length === 1)
      asked[0]!()
      const { cursor } = await first
      const asking = glance(node.url, privateToken, { cursor: cursor! })
      await eventually(() => asked.length === 2)
      node.gate.goAway()
      asked[1]!()
      expect((await asking).status).toBe(503)
    })
  })
})
