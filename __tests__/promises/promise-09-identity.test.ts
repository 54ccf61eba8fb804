import { afterEach, describe, expect, test } from '@jest/globals'
import { closeSites, openSite } from '../support/site.ts'
import { overEachTransport } from '../support/transports.ts'

afterEach(closeSites)

overEachTransport(({ glance, poll }) => {
  describe('Promise 9: a client of one user', () => {
    test.each([
      ['another user', 'bob', 403, 'COMET_IDENTITY_HAS_CHANGED'],
      ['nobody', undefined, 401, 'COMET_IDENTITY_IS_LOST'],
    ])('is refused to %s by a code of its own, and sees nothing', async (_, user, status, code) => {
      let current: string | undefined = 'ann'
      const { channel, newClient, url } = await openSite({ options: { identify: () => current } })
      const { privateToken } = await newClient({ userId: 'ann' })
      expect((await glance(url, privateToken)).status).toBe(200)
      await channel.sendMessage('ForAnn', 1)
      current = user
      const refused = await poll(url, privateToken)
      expect([refused.status, refused.messages.map((each) => each.code)]).toEqual([status, [code]])
      current = 'ann'
      expect((await glance(url, privateToken)).messages).toMatchObject([{ n: 'ForAnn' }])
    })

    test('that was initialised for nobody is refused to somebody', async () => {
      let current: string | null = null
      const { newClient, url } = await openSite({ options: { identify: () => current } })
      const { privateToken } = await newClient()
      expect((await glance(url, privateToken)).status).toBe(200)
      current = 'ann'
      expect((await glance(url, privateToken)).messages[0]?.code).toBe('COMET_IDENTITY_HAS_CHANGED')
    })

    test('whose app fails to say who asks is refused, and the app is told', async () => {
      const site = await openSite({
        options: { identify: () => Promise.reject(new Error('no session store')) },
      })
      const { privateToken } = await site.newClient({ userId: 'ann' })
      const { status, messages } = await glance(site.url, privateToken)
      expect([status, messages[0]?.code]).toEqual([500, 'COMET_INTERNAL_ERROR'])
      expect(JSON.stringify(messages)).not.toContain('session store')
      await new Promise(setImmediate)
      expect(site.errors).toEqual([new Error('no session store')])
    })

    test('is not refused to a page whose older request is still held by the right user', async () => {
      let current = 'ann'
      const { channel, newClient, url, holds } = await openSite({ options: { identify: () => current } })
      const { privateToken } = await newClient({ userId: 'ann' })
      const held = poll(url, privateToken)
      await holds(1)
      current = 'eve'
      expect((await poll(url, privateToken)).status).toBe(403)
      expect(channel.stats().heldRequests).toBe(1)
      await channel.sendMessage('M', 1)
      expect((await held).messages).toMatchObject([{ n: 'M' }])
    })
  })
})
