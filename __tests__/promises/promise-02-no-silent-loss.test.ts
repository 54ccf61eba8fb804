import { afterEach, describe, expect, test } from '@jest/globals'
import { CometStateManager } from 'koa-comet'
import { InProcCometStateProvider, InProcStorage } from 'koa-comet/providers/in-proc'
import { countTo } from '../support/raw-page.ts'
import { serve } from '../support/serve.ts'
import { closeSites, openSite } from '../support/site.ts'
import { TestPage } from '../support/test-page.ts'
import { overEachTransport } from '../support/transports.ts'

afterEach(closeSites)

overEachTransport(({ glance, transport }) => {
  test('Promise 2: 2,000 messages sent while their client has no request held arrive complete, in order, each once', async () => {
    const { channel, newClient, url } = await openSite({ options: { maxAnswerBytes: 4096 } })
    const page = new TestPage(transport, await newClient())
    let sentWhileNobodyHeld = 0
    for (const index of countTo(2000)) {
      expect(channel.stats().heldRequests).toBe(0)
      await channel.sendMessage('M', index)
      sentWhileNobodyHeld += 1
      if (index % 7 === 0) await page.glance(url)
    }
    while ((await page.glance(url)).messages[0]?.n === 'M');
    expect(sentWhileNobodyHeld).toBe(2000)
    expect([page.contents, page.resets]).toEqual([countTo(2000), []])
  })

  test('Promise 2: 400 messages, each sent between two requests, and each in the very next answer', async () => {
    const { channel, newClient, url, holds } = await openSite()
    const page = new TestPage(transport, await newClient())
    let late = 0
    for (const index of countTo(400)) {
      expect(channel.stats().heldRequests).toBe(0)
      await channel.sendMessage('M', index)
      const { messages } = await page.next(url)
      await page.drop()
      await holds(0)
      if (messages.length !== 1 || messages[0]?.c !== index) late += 1
    }
    expect([late, page.contents, page.resets]).toEqual([0, countTo(400), []])
  }, 60_000)

  describe('Field', () => {
    test('row 1: joined, no message came, dropped, something was sent: it arrives', async () => {
      const { channel, newClient, url, holds } = await openSite()
      const page = new TestPage(transport, await newClient())
      const broken = page.next(url).catch(() => 'dropped')
      await holds(1)
      await page.drop()
      expect(await broken).toBe('dropped')
      await holds(0)
      await channel.sendMessage('M', 1)
      expect([(await page.glance(url)).outcome, page.contents]).toEqual(['resumed', [1]])
    })

    test('row 1: not even subscribed, something was sent: it arrives', async () => {
      const { channel, newClient, url } = await openSite()
      const { privateToken } = await newClient()
      await channel.sendMessage('M', 1)
      const { outcome, messages } = await glance(url, privateToken)
      expect([outcome, messages.map(({ c }) => c)]).toEqual(['resumed', [1]])
    })

    test('row 2: quiet for longer than the retention, then dropped: still resumed, and what comes then arrives', async () => {
      let nowMs = 0
      const storage = new InProcStorage(() => nowMs)
      const options = { retention: { seconds: 1 } }
      const before = await openSite({ provider: new InProcCometStateProvider({ storage }), options })
      const page = new TestPage(transport, await before.newClient({ connectionIdleSeconds: 10_000 }))
      await before.channel.sendMessage('M', 1)
      await page.glance(before.url)
      await page.glance(before.url)
      nowMs += 3_600_000
      // Another node, so that what this one remembers is out of the play.
      const after = await openSite({ provider: new InProcCometStateProvider({ storage }), options })
      await after.channel.open()
      expect(after.channel.stats().retainedMessages).toBe(0)
      expect((await page.glance(after.url)).outcome).toBe('resumed')
      await after.channel.sendMessage('M', 2)
      await page.glance(after.url)
      expect([page.contents, page.resets]).toEqual([[1, 2], []])
    })

    test('row 5: a message sent while the client is being initialised is delivered once', async () => {
      for (const round of countTo(30)) {
        const { channel, url } = await openSite()
        await channel.open()
        const from = channel.cursor()
        const sending = channel.sendMessage('M', round)
        const initialising = channel.initializeClient({ publicToken: 'ann', from })
        const page = new TestPage(transport, await initialising)
        await Promise.all([page.glance(url), sending])
        await page.glance(url)
        expect([page.contents, page.resets]).toEqual([[round], []])
      }
    })

    test('row 5: a message sent during the first request is delivered once', async () => {
      const { channel, newClient, url } = await openSite()
      for (const round of countTo(50)) {
        const page = new TestPage(transport, await newClient())
        const polling = page.next(url)
        for (let turn = 0; turn < round % 12; turn++) await new Promise(setImmediate)
        await channel.sendMessage('M', round)
        await polling
        await page.glance(url)
        expect([page.contents, page.resets]).toEqual([[round], []])
      }
    })

    test('row 6: a store that lost all leads to a reset, and never to another life’s messages in silence', async () => {
      const first = await openSite()
      const secret = 'a-secret-that-the-app-keeps'
      const page = new TestPage(
        transport,
        await first.newClient({ publicToken: 'ann', privateToken: secret }),
      )
      for (const index of countTo(3)) await first.channel.sendMessage('Old', index)
      await page.glance(first.url)
      await first.channel.close()
      const second = await openSite()
      expect((await page.glance(second.url)).status).toBe(401)
      await second.newClient({ publicToken: 'ann', privateToken: secret })
      for (const index of countTo(3)) await second.channel.sendMessage('New', index)
      expect((await page.glance(second.url)).outcome).toBe('reset')
      expect(page.resets).toMatchObject([{ reason: 'epoch' }])
      expect(page.received.map(({ n, c }) => `${n} ${c}`)).toEqual([
        'Old 1',
        'Old 2',
        'Old 3',
        'New 1',
        'New 2',
        'New 3',
      ])
      const ids = page.received.map(({ mid }) => mid)
      expect(ids).toEqual([...ids].sort((a, b) => a - b))
    })

    test.each(['nonsense', 'another-life:5', ':', '0', 'null', '../..:1', `${'9'.repeat(300)}`])(
      'row 7 and Row 43: the unknown cursor %p is told a reset with its reason, and never answered with silence',
      async (cursor) => {
        const { channel, newClient, url } = await openSite()
        const { privateToken } = await newClient()
        await channel.sendMessage('M', 1)
        const { status, outcome, messages } = await glance(url, privateToken, { cursor })
        expect([status, outcome]).toEqual([200, 'reset'])
        expect(messages).toMatchObject([{ n: 'aspNetComet.reset', c: { reason: 'epoch' } }, { n: 'M' }])
      },
    )

    test('row 8: what is for others moves the cursor, and tells nothing of them', async () => {
      const { channel, newClient, url } = await openSite({ options: { retention: { messages: 3 } } })
      const [ann, bob] = [
        new TestPage(transport, await newClient({ publicToken: 'ann' })),
        await newClient({ publicToken: 'bob' }),
      ]
      for (const index of countTo(20)) {
        await channel.sendMessage('ForBob', index, { to: bob.publicToken })
        const { messages } = await ann.glance(url)
        expect(messages).toEqual([{ mid: channel.cursor().messageId, n: 'aspNetComet.timeout', c: null }])
      }
      expect([ann.received, ann.resets]).toEqual([[], []])
    })
  })

  test('Row 13: after a restart of the in-process store each page that comes back by itself sees one reset', async () => {
    const first = new CometStateManager(new InProcCometStateProvider())
    const served = await serve(first.mount())
    const url = `${served.origin}/comet`
    const page = new TestPage(transport, await first.initializeClient({ publicToken: 'ann' }))
    await first.sendMessage('M', 1)
    await page.glance(url)
    await first.close()
    const second = await openSite()
    const { privateToken } = await second.newClient()
    const again = new TestPage(transport, {
      privateToken,
      start: { epoch: page.cursor.split(':')[0]!, messageId: 1 },
    })
    for (const index of countTo(3, 2)) {
      await second.channel.sendMessage('M', index)
      await again.glance(second.url)
    }
    expect([again.resets.length, again.contents]).toEqual([1, [2, 3, 4]])
    await served.close()
  })
})
