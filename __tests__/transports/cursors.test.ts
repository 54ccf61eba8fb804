import { afterEach, describe, expect, test } from '@jest/globals'
import { closeSites, openSite } from '../support/site.ts'
import { overEachTransport } from '../support/transports.ts'

afterEach(closeSites)

overEachTransport(({ glance, poll }) => {
  describe('a request without a cursor', () => {
    test('reads from where its client began', async () => {
      const { url, channel, newClient } = await openSite()
      await channel.sendMessage('Early', 0)
      const { privateToken } = await newClient()
      await channel.sendMessage('Late', 1)
      const { messages, outcome } = await glance(url, privateToken)
      expect(messages).toMatchObject([{ n: 'Late' }])
      expect(outcome).toBe('resumed')
    })

    test('goes on where its client last acknowledged, not where it was last answered', async () => {
      const { url, channel, newClient } = await openSite()
      const { privateToken } = await newClient()
      await channel.sendMessage('Count', 1)
      const first = await glance(url, privateToken)
      await channel.sendMessage('Count', 2)
      await glance(url, privateToken, { cursor: first.cursor! })
      expect((await glance(url, privateToken)).messages.map(({ c }) => c)).toEqual([2])
    })

    test('gets again what was answered and never acknowledged', async () => {
      const { url, channel, newClient } = await openSite()
      const { privateToken } = await newClient()
      await channel.sendMessage('Count', 1)
      for (const _ of [1, 2, 3, 4]) {
        expect((await glance(url, privateToken)).messages.map(({ c }) => c)).toEqual([1])
      }
    })
  })

  describe('a request with a cursor', () => {
    test('gets what came after it, and nothing twice', async () => {
      const { url, channel, newClient } = await openSite()
      const { privateToken } = await newClient()
      let cursor: string | undefined
      const got: unknown[] = []
      for (const n of [1, 2, 3]) {
        await channel.sendMessage('Count', n)
        const answer = await poll(url, privateToken, { cursor })
        got.push(...answer.messages.map(({ c }) => c))
        cursor = answer.cursor!
      }
      expect(got).toEqual([1, 2, 3])
    })

    test('that lost its answer gets the same messages again with the same cursor', async () => {
      const { url, channel, newClient } = await openSite()
      const { privateToken } = await newClient()
      const { cursor } = await glance(url, privateToken)
      await channel.sendMessage('Count', 1)
      const first = await poll(url, privateToken, { cursor: cursor! })
      const again = await poll(url, privateToken, { cursor: cursor! })
      expect(again.messages).toEqual(first.messages)
      expect(again.cursor).toBe(first.cursor)
    })

    test.each(['0', '1'])('of the id %s reads from where its client began, not before it', async (id) => {
      const { url, channel, newClient } = await openSite()
      await channel.sendMessage('Early', 0)
      const { privateToken, start } = await newClient()
      await channel.sendMessage('Late', 1)
      const { messages, outcome } = await glance(url, privateToken, { cursor: `${start.epoch}:${id}` })
      expect(outcome).toBe('resumed')
      expect(messages.map(({ n }) => n)).toEqual(['Late'])
    })

    test('field row 8: what is for others moves the cursor on, and nothing of it is told', async () => {
      const { url, channel, newClient } = await openSite()
      const { privateToken } = await newClient()
      const other = await newClient()
      const { cursor } = await glance(url, privateToken)
      const id = await channel.sendMessage('Secret', 'for other eyes', { to: other.publicToken })
      const told = await glance(url, privateToken, { cursor: cursor! })
      expect(told.cursor).toBe(`${channel.stats().epoch}:${id}`)
      expect(told.messages).toEqual([{ mid: id, n: 'aspNetComet.timeout', c: null }])
      expect(told.body).not.toMatch(/Secret|eyes/)
    })
  })

  describe('field row 7: a cursor that this log never gave', () => {
    const strange: readonly (readonly [string, (cursor: string) => string])[] = [
      ['of another epoch', (cursor) => cursor.replace(/^[^:]+/, 'AnotherLifeOfTheLog')],
      ['of the future', (cursor) => `${cursor}0`],
      ['above the safe integers', (cursor) => cursor.replace(/\d+$/, '9999999999999999')],
      ['negative', (cursor) => cursor.replace(/:/, ':-')],
      ['without an epoch', (cursor) => cursor.replace(/^[^:]+:/, '')],
      ['without an id', (cursor) => cursor.replace(/:.*$/, '')],
      ['not a number', (cursor) => cursor.replace(/:.*$/, ':NaN')],
      ['in hexadecimal', (cursor) => cursor.replace(/:.*$/, ':0x10')],
      ['of 5,000 characters', () => 'A'.repeat(5000)],
      ['that is a path', () => '../../etc/passwd:1'],
      ['that is a word of JavaScript', () => '__proto__:constructor'],
      ['that is not ASCII', () => 'é:1'],
    ]

    test.each(strange)('(%s) is told reset, with all that is retained, and goes on', async (_, spoil) => {
      const { url, channel, newClient } = await openSite()
      const { privateToken } = await newClient()
      await channel.sendMessage('Count', 1)
      const { cursor } = await glance(url, privateToken)
      await channel.sendMessage('Count', 2)
      const answer = await glance(url, privateToken, { cursor: spoil(cursor!) })
      expect(answer.status).toBe(200)
      expect(answer.outcome).toBe('reset')
      const { epoch, head } = channel.stats()
      expect(answer.messages.map(({ n, c }) => (n === 'Count' ? c : n))).toEqual(['aspNetComet.reset', 1, 2])
      expect(answer.messages[0]?.c).toMatchObject({ reason: 'epoch', epoch })
      expect(answer.cursor).toBe(`${epoch}:${head}`)
      const next = await glance(url, privateToken, { cursor: answer.cursor! })
      expect(next.outcome).toBe('resumed')
      expect(next.messages).toMatchObject([{ n: 'aspNetComet.timeout' }])
    })

    test('is told so even when it is all there is to say: a reset is not held back', async () => {
      const { url, newClient } = await openSite()
      const { privateToken } = await newClient()
      const answer = await poll(url, privateToken, { cursor: 'other:7' })
      expect(answer.messages).toMatchObject([{ n: 'aspNetComet.reset', c: { reason: 'epoch' } }])
    })
  })
})
