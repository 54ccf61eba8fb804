import { afterEach, describe, expect, test } from '@jest/globals'
import { eventually } from '../support/eventually.ts'
import type { Told } from '../support/exchange.ts'
import { closeSites, openSite } from '../support/site.ts'
import { overEachTransport } from '../support/transports.ts'

afterEach(closeSites)

const REPLACED = [{ n: 'aspNetComet.replaced', c: null }]

overEachTransport(({ glance, poll }) => {
  function pollAs(page: string, url: string, privateToken: string, cursor?: string): Promise<Told> {
    return poll(url, privateToken, { cursor, headers: { 'Comet-Page': page } })
  }

  describe('of two requests of one client', () => {
    test('field row 4: the newest is held, the older is answered replaced, and nothing is lost', async () => {
      const site = await openSite()
      const { privateToken } = await site.newClient()
      const older = poll(site.url, privateToken)
      await site.holds(1)
      const newer = poll(site.url, privateToken)
      const replaced = await older
      expect(replaced.outcome).toBe('resumed')
      expect(replaced.messages).toMatchObject(REPLACED)
      expect(site.channel.stats().heldRequests).toBe(1)
      await site.channel.sendMessage('Count', 1)
      expect((await newer).messages.map(({ c }) => c)).toEqual([1])
      // What the replaced poll was told as its cursor leaves nothing out either.
      const again = await glance(site.url, privateToken, { cursor: replaced.cursor! })
      expect(again.messages.map(({ c }) => c)).toEqual([1])
    })

    test('both sent at once, one is answered replaced and one is held', async () => {
      const site = await openSite()
      const { privateToken } = await site.newClient()
      const polls = [1, 2, 3, 4, 5].map(() => poll(site.url, privateToken))
      const ended: Told[] = []
      for (const polling of polls) void polling.then((answer) => ended.push(answer))
      await eventually(() => ended.length === 4)
      expect(ended.map(({ messages }) => messages[0]?.n)).toEqual(Array(4).fill('aspNetComet.replaced'))
      expect(site.channel.stats().heldRequests).toBe(1)
      await site.channel.sendMessage('Count', 1)
      await Promise.all(polls)
      expect(ended.at(-1)?.messages).toMatchObject([{ c: 1 }])
    })

    test('a message sent as the one replaces the other reaches the page', async () => {
      const site = await openSite()
      const { privateToken } = await site.newClient()
      for (let round = 0; round < 20; round += 1) {
        const { cursor } = await glance(site.url, privateToken)
        const older = poll(site.url, privateToken, { cursor: cursor! })
        await site.holds(1)
        const sending = site.channel.sendMessage('Round', round)
        const newer = poll(site.url, privateToken, { cursor: cursor! })
        await sending
        const answers = await Promise.all([older, newer])
        expect(answers[1].messages).toMatchObject([{ c: round }])
        await glance(site.url, privateToken, { cursor: answers[1].cursor! })
      }
    })
  })

  describe('of two pages with one token', () => {
    test('the one that begins anew takes the client over, and the other is told replaced', async () => {
      const site = await openSite()
      const { privateToken } = await site.newClient()
      const first = pollAs('page-1;new', site.url, privateToken)
      await site.holds(1)
      const second = pollAs('page-2;new', site.url, privateToken)
      expect((await first).messages).toMatchObject(REPLACED)
      await site.channel.sendMessage('Count', 1)
      expect((await second).messages).toMatchObject([{ c: 1 }])
    })

    test('the one that had its answers before does not take the client back', async () => {
      const site = await openSite()
      const { privateToken } = await site.newClient()
      const { cursor } = await glance(site.url, privateToken, { headers: { 'Comet-Page': 'page-1;new' } })
      const second = pollAs('page-2;new', site.url, privateToken)
      await site.holds(1)
      const first = await pollAs('page-1', site.url, privateToken, cursor!)
      expect(first.messages).toMatchObject(REPLACED)
      expect(site.channel.stats().heldRequests).toBe(1)
      await site.channel.sendMessage('Count', 1)
      expect((await second).messages).toMatchObject([{ c: 1 }])
    })

    test('a page that retries with its own id replaces its own older request and goes on', async () => {
      const site = await openSite()
      const { privateToken } = await site.newClient()
      const { cursor } = await glance(site.url, privateToken, { headers: { 'Comet-Page': 'page-1;new' } })
      const lost = pollAs('page-1', site.url, privateToken, cursor!)
      await site.holds(1)
      const retry = pollAs('page-1', site.url, privateToken, cursor!)
      expect((await lost).messages).toMatchObject([{ n: 'aspNetComet.replaced', c: 'own' }])
      await site.channel.sendMessage('Count', 1)
      expect((await retry).messages).toMatchObject([{ c: 1 }])
    })

    test('requests that name no page count as one page, which is new as long as it has no cursor', async () => {
      const site = await openSite()
      const { privateToken } = await site.newClient()
      const { cursor } = await glance(site.url, privateToken, { headers: { 'Comet-Page': 'page-1;new' } })
      expect((await poll(site.url, privateToken, { cursor: cursor! })).messages).toMatchObject(REPLACED)
      const nameless = poll(site.url, privateToken)
      await site.holds(1)
      expect((await pollAs('page-1', site.url, privateToken, cursor!)).messages).toMatchObject(REPLACED)
      await site.channel.sendMessage('Count', 1)
      expect((await nameless).messages).toMatchObject([{ c: 1 }])
    })

    test.each(['a b', 'ä', 'page;old', ';new', 'x'.repeat(65), '__proto__.x'])(
      'a page id that is none (%j) is refused with 400',
      async (page) => {
        const site = await openSite()
        const { privateToken } = await site.newClient()
        const refused = await glance(site.url, privateToken, { headers: { 'Comet-Page': page } })
        expect(refused.status).toBe(400)
        expect(refused.messages).toMatchObject([{ code: 'COMET_PARAMETERS_ARE_INVALID' }])
      },
    )
  })
})
