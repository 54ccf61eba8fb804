import { afterEach, describe, expect, jest, test } from '@jest/globals'
import { CometStateManager } from 'koa-comet'
import { InProcCometStateProvider, InProcStorage } from 'koa-comet/providers/in-proc'
import { fakeTime, realTime } from '../support/fake-time.ts'
import { GatedProvider } from '../support/gated-provider.ts'
import { glance, poll } from '../support/page.ts'
import { ProviderWrapper } from '../support/provider-wrapper.ts'
import { closeSites, openSite } from '../support/site.ts'
import { openNode } from '../support/two-nodes.ts'

afterEach(closeSites)

const CLOSED = { code: 'COMET_CHANNEL_IS_CLOSED', status: 503 }

function gated(): { gate: GatedProvider; channel: CometStateManager } {
  const gate = new GatedProvider(new InProcCometStateProvider())
  return { gate, channel: new CometStateManager(gate, { providerTimeoutSeconds: 1 }) }
}

describe('Promise 11: closing', () => {
  test('answers what is held, so that it comes back elsewhere', async () => {
    const { channel, newClient, url, holds } = await openSite()
    const clients = await Promise.all(Array.from({ length: 30 }, () => newClient()))
    const held = clients.map(({ privateToken }) => poll(url, privateToken))
    await holds(30)
    const cursor = channel.cursor()
    await channel.close({ overSeconds: 0.2 })
    const answers = await Promise.all(held)
    for (const { status, outcome, messages, headers, cursor: told } of answers) {
      expect([status, outcome, messages[0]?.n]).toEqual([200, 'resumed', 'aspNetComet.timeout'])
      expect([told, headers.get('connection')]).toEqual([`${cursor.epoch}:${cursor.messageId}`, 'close'])
    }
    expect(new Set(answers.map(({ headers }) => headers.get('retry-after')))).toEqual(new Set(['1']))
  })

  test('finishes what is being sent, and those who are held get it', async () => {
    const { channel, newClient, url, holds } = await openSite()
    const { privateToken } = await newClient()
    const held = poll(url, privateToken)
    await holds(1)
    const sending = channel.sendMessage('Last', 1)
    while (channel.stats().queuedOperations === 0) await Promise.resolve()
    const closing = channel.close()
    expect(await sending).toBeGreaterThan(0)
    await closing
    const { cursor, messages } = await held
    // Either it is in the answer, or the answer's cursor is before it.
    expect(messages[0]?.n === 'Last' || Number(cursor!.split(':')[1]) < (await sending)).toBe(true)
  })

  test('twice returns the same promise', async () => {
    const { channel } = gated()
    await channel.open()
    const closing = channel.close()
    expect(channel.close({ overSeconds: 1 })).toBe(closing)
    await closing
    expect(channel.close()).toBe(closing)
  })

  test.each(['that was never opened', 'that is open'])(
    'a channel %s refuses all else from then on',
    async (which) => {
      const { channel, url } = await openSite()
      if (which === 'that is open') await channel.open()
      const closing = channel.close()
      for (const when of ['closing', 'closed']) {
        if (when === 'closed') await closing
        await expect(channel.open()).rejects.toMatchObject(CLOSED)
        await expect(channel.initializeClient({ publicToken: 'ann' })).rejects.toMatchObject(CLOSED)
        await expect(channel.sendMessage('M', 1)).rejects.toMatchObject(CLOSED)
        await expect(channel.stopClient('ann')).rejects.toMatchObject(CLOSED)
        await expect(channel.getCometClient('ann')).rejects.toMatchObject(CLOSED)
        await expect(channel.killIdleCometClient('ann')).rejects.toMatchObject(CLOSED)
        await expect(channel.getClients().next()).rejects.toMatchObject(CLOSED)
        expect(() => channel.cursor()).toThrow(expect.objectContaining(CLOSED))
        const { status, messages, headers } = await glance(url, 'a-token-of-nobody-at-all')
        expect([status, messages[0]?.code, headers.get('connection')]).toEqual([503, CLOSED.code, 'close'])
        expect(channel.stats().heldRequests).toBe(0)
      }
    },
  )

  test('a send in the same turn as close() is either stored or refused, and says which', async () => {
    const storage = new InProcStorage()
    for (let round = 0; round < 20; round++) {
      const channel = new CometStateManager(new InProcCometStateProvider({ storage }))
      await channel.open()
      const before = channel.cursor().messageId
      const sends = Array.from({ length: round }, (_, index) => channel.sendMessage('M', index))
      const closing = channel.close()
      const settled = await Promise.allSettled(sends)
      await closing
      const stored = settled.filter(({ status }) => status === 'fulfilled').length
      expect(storage.channel('comet').retainedLog().head - before).toBe(stored)
    }
  })

  test('during an opening waits for it', async () => {
    const { gate, channel } = gated()
    const letGo = gate.hangNext('open')
    const opening = channel.open()
    const closing = channel.close()
    letGo()
    await expect(opening).rejects.toMatchObject(CLOSED)
    await closing
  })

  test('leaves no timer behind, nor a follower of the store', async () => {
    const { channel, newClient, url, holds } = await openNode()
    await newClient()
    const { privateToken } = await newClient()
    jest.useFakeTimers({
      doNotFake: [
        'nextTick',
        'setImmediate',
        'clearImmediate',
        'queueMicrotask',
        'hrtime',
        'Date',
        'performance',
      ],
    })
    try {
      const storage = new InProcStorage()
      const own = new CometStateManager(new InProcCometStateProvider({ storage }))
      await own.open()
      expect(jest.getTimerCount()).toBeGreaterThan(0)
      await own.close()
      expect(jest.getTimerCount()).toBe(0)
      const { head } = own.stats()
      const other = new CometStateManager(new InProcCometStateProvider({ storage }))
      await other.sendMessage('M', 1)
      expect(own.stats().head).toBe(head)
      await other.close()
      const held = poll(url, privateToken)
      await holds(1)
      expect(jest.getTimerCount()).toBeGreaterThan(0)
      const closing = channel.close()
      await held
      await closing
      expect(jest.getTimerCount()).toBe(0)
    } finally {
      jest.useRealTimers()
    }
  })

  test('keeps no process alive, closed or not', async () => {
    const before = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    const { channel } = gated()
    await channel.open()
    expect(process.getActiveResourcesInfo().filter((name) => name === 'Timeout')).toHaveLength(before)
    await channel.close()
  })

  test('asks nothing of the provider once that is closed, also not for a renewal that was due', async () => {
    const asked: string[] = []
    class Listening extends ProviderWrapper {
      override renewLeases(renewals: Parameters<ProviderWrapper['renewLeases']>[0]) {
        asked.push('renewLeases')
        return super.renewLeases(renewals)
      }
      override close(): Promise<void> {
        asked.push('close')
        return super.close()
      }
    }
    fakeTime()
    try {
      const provider = new Listening(new InProcCometStateProvider())
      const { channel, newClient, url, holds } = await openSite({ provider })
      const { privateToken } = await newClient({ connectionIdleSeconds: 3, connectionTimeoutSeconds: 3600 })
      const held = poll(url, privateToken)
      await holds(1)
      jest.advanceTimersByTime(1000)
      await channel.close()
      await held
      for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
      expect(asked).toEqual(['renewLeases', 'renewLeases', 'close'])
    } finally {
      realTime()
    }
  })
})
