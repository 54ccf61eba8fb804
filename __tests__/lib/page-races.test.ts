import { afterEach, describe, expect, test } from '@jest/globals'
import { InProcStorage } from 'koa-comet/providers/in-proc'
import type { Told } from '../support/exchange.ts'
import { hangingCall } from '../support/hanging-call.ts'
import { closeSites } from '../support/site.ts'
import { SLOW, slowPages } from '../support/slow-pages.ts'
import { overEachTransport } from '../support/transports.ts'
import { openNode, openTwoNodes } from '../support/two-nodes.ts'

afterEach(closeSites)

function as(page: string, cursor?: string | null): { headers: Record<string, string>; cursor?: string } {
  return { headers: { 'Comet-Page': page }, ...(cursor && { cursor }) }
}

function isReplaced({ messages }: Told): boolean {
  return messages.some(({ n }) => n === 'aspNetComet.replaced')
}

overEachTransport(({ glance, poll }) => {
  describe('Of two pages of one client on one node', () => {
    test('the newer takes over while the older polls on, and only the older is replaced', async () => {
      const { channel, gate, url, newClient, holds } = await openNode()
      const { privateToken } = await newClient()
      const { cursor } = await glance(url, privateToken, as('old;new'))
      const { asked, letGo } = hangingCall(gate, 'renewLeases')
      const newer = poll(url, privateToken, as('young;new'))
      await asked
      const older = poll(url, privateToken, as('old', cursor))
      await holds(1)
      letGo()
      expect(isReplaced(await older)).toBe(true)
      await channel.sendMessage('M', 1)
      expect((await newer).messages).toMatchObject([{ c: 1 }])
      expect(isReplaced(await glance(url, privateToken, as('old', cursor)))).toBe(true)
      expect(isReplaced(await glance(url, privateToken, as('young', (await newer).cursor)))).toBe(false)
    })

    test('the older, on its way when the newer took over, does not take the client back', async () => {
      const { channel, gate, url, newClient, holds } = await openNode()
      const { privateToken } = await newClient()
      await glance(url, privateToken, as('old;new'))
      const { asked, letGo } = hangingCall(gate, 'catchUp')
      const older = poll(url, privateToken, as('old', 'another-life:1'))
      await asked
      const newer = poll(url, privateToken, as('young;new'))
      await holds(1)
      letGo()
      expect(isReplaced(await older)).toBe(true)
      await channel.sendMessage('M', 1)
      expect((await newer).messages).toMatchObject([{ c: 1 }])
    })

    test('the older, sent after the newer and still on its way when that took over, does not either', async () => {
      const { channel, gate, url, newClient, holds } = await openNode()
      const { privateToken } = await newClient()
      await glance(url, privateToken, as('old;new'))
      const [takeover, catchUp] = [hangingCall(gate, 'renewLeases'), hangingCall(gate, 'catchUp')]
      const newer = poll(url, privateToken, as('young;new'))
      await takeover.asked
      const older = poll(url, privateToken, as('old', 'another-life:1'))
      await catchUp.asked
      takeover.letGo()
      await holds(1)
      catchUp.letGo()
      expect(isReplaced(await older)).toBe(true)
      await channel.sendMessage('M', 1)
      expect((await newer).messages).toMatchObject([{ c: 1 }])
    })

    test('both new, the one that was overtaken on its way is replaced, and the other goes on', async () => {
      const letIn: (() => void)[] = []
      const identify = () => new Promise<null>((resolve) => letIn.push(() => resolve(null)))
      const { channel, url, newClient, holds } = await openNode(new InProcStorage(), { identify })
      const { privateToken } = await newClient()
      const overtaken = poll(url, privateToken, as('first;new'))
      while (letIn.length < 1) await new Promise(setImmediate)
      const newest = poll(url, privateToken, as('second;new'))
      while (letIn.length < 2) await new Promise(setImmediate)
      letIn[1]!()
      await holds(1)
      letIn[0]!()
      expect(isReplaced(await overtaken)).toBe(true)
      expect(channel.stats().heldRequests).toBe(1)
      await channel.sendMessage('M', 1)
      const { messages, cursor } = await newest
      expect(messages).toMatchObject([{ c: 1 }])
      const next = glance(url, privateToken, as('second', cursor))
      while (letIn.length < 3) await new Promise(setImmediate)
      letIn[2]!()
      expect(isReplaced(await next)).toBe(false)
    })

    test('both new, the one that was overtaken is replaced also when the newer has polled on since', async () => {
      const { identify, wait, letIn } = slowPages()
      const { channel, url, newClient, holds } = await openNode(new InProcStorage(), { identify })
      const { privateToken } = await newClient({ userId: 'ann' })
      const overtaken = glance(url, privateToken, { headers: { 'Comet-Page': 'first;new', ...SLOW } })
      await wait(1)
      const { cursor } = await glance(url, privateToken, as('second;new'))
      const held = poll(url, privateToken, as('second', cursor))
      await holds(1)
      letIn()
      expect(isReplaced(await overtaken)).toBe(true)
      await channel.sendMessage('M', 1)
      expect((await held).messages).toMatchObject([{ c: 1 }])
    })

    test('that join in one turn, in whatever order their requests come, exactly one goes on', async () => {
      const { channel, url, newClient, holds } = await openNode()
      const { privateToken } = await newClient()
      const pages = Array.from({ length: 8 }, (_, index) => `page-${index}`)
      const answers = new Map<string, Told>()
      const polls = pages.map(async (page) =>
        answers.set(page, await poll(url, privateToken, as(`${page};new`))),
      )
      while (answers.size < pages.length - 1) await new Promise(setImmediate)
      await holds(1)
      expect([...answers.values()].every(isReplaced)).toBe(true)
      await channel.sendMessage('M', 1)
      await Promise.all(polls)
      const [winner] = pages.filter((page) => !isReplaced(answers.get(page)!))
      const next = await glance(url, privateToken, as(winner!, answers.get(winner!)!.cursor))
      expect(isReplaced(next)).toBe(false)
    })
  })

  describe('Of two pages of one client on two nodes', () => {
    test('the newer wins: the older’s next poll is replaced', async () => {
      const { lagging: here, current: there } = await openTwoNodes()
      const { privateToken } = await here.newClient()
      const { cursor } = await glance(here.url, privateToken, as('old;new'))
      await glance(there.url, privateToken, as('young;new'))
      // The older’s node finds out by its renewal at the latest; a poll to the other node, or a newer page, at once.
      expect(isReplaced(await glance(there.url, privateToken, as('old', cursor)))).toBe(true)
      expect(isReplaced(await glance(there.url, privateToken, as('young', cursor)))).toBe(false)
    })

    test('the older’s goodbye does nothing', async () => {
      const { lagging: here, current: there } = await openTwoNodes()
      const { privateToken } = await here.newClient()
      await glance(here.url, privateToken, as('old;new'))
      const held = poll(there.url, privateToken, as('young;new'))
      await there.holds(1)
      const body = new URLSearchParams({ privateToken, page: 'old' })
      expect((await fetch(`${here.url}/goodbye`, { method: 'POST', body })).status).toBe(204)
      expect((await fetch(`${there.url}/goodbye`, { method: 'POST', body })).status).toBe(204)
      expect(there.channel.stats().heldRequests).toBe(1)
      await there.channel.sendMessage('M', 1)
      expect((await held).messages).toMatchObject([{ c: 1 }])
    })
  })
})
