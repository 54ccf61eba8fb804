import { afterEach, describe, expect, jest, test } from '@jest/globals'
import { fakeTime, realTime } from '../support/fake-time.ts'
import { closeSites } from '../support/site.ts'
import { askThrough, POINTS } from '../support/subscribe-points.ts'
import { TestPage } from '../support/test-page.ts'
import { overEachTransport } from '../support/transports.ts'
import { openNode } from '../support/two-nodes.ts'

afterEach(async () => {
  realTime()
  await closeSites()
})

overEachTransport((way) => {
  describe('Promise 7 and Row 7: a message sent', () => {
    test.each(POINTS)('%s is in that request’s answer', async (point) => {
      const { answer } = await askThrough(way, point, ({ channel }) => channel.sendMessage('M', 1))
      const { messages } = await answer
      expect(messages.filter(({ n }) => n === 'M')).toMatchObject([{ c: 1 }])
    })

    test.each(POINTS)('%s to this client alone is in that request’s answer', async (point) => {
      const { answer } = await askThrough(way, point, ({ channel }, { publicToken }) =>
        channel.sendMessage('M', 1, { to: publicToken }),
      )
      const { messages } = await answer
      expect(messages.filter(({ n }) => n === 'M')).toMatchObject([{ c: 1 }])
    })

    test.each(POINTS)('%s, while others get much, is in that request’s answer', async (point) => {
      const { answer } = await askThrough(way, point, async ({ channel }, { publicToken }) => {
        for (let index = 0; index < 20; index++)
          void channel.sendMessage('ForOthers', index, { to: ['nobody'] })
        void channel.sendMessage('ForOthers', 0, { except: publicToken })
        await channel.sendMessage('M', 1)
      })
      const { messages } = await answer
      expect(messages.filter(({ n }) => !n.startsWith('aspNetComet.'))).toMatchObject([{ n: 'M', c: 1 }])
    })
  })

  describe('Row 8: a message and the end of the hold in one turn', () => {
    test.each(['the message first', 'the end first'])(
      '(%s) are the message or a timeout before it, never both and never neither',
      async (order) => {
        fakeTime()
        const node = await openNode()
        const page = new TestPage(way.transport, await node.newClient({ connectionTimeoutSeconds: 5 }))
        const held = page.next(node.url, { waitSeconds: 5 })
        await node.holds(1)
        node.gate.hold()
        const id = await node.channel.sendMessage('M', 1)
        if (order === 'the message first') node.gate.release()
        jest.advanceTimersByTime(5000)
        if (order === 'the end first') node.gate.release()
        const { messages, cursor } = await held
        if (order === 'the message first') {
          expect(messages).toMatchObject([{ n: 'M' }])
        } else {
          expect(messages).toMatchObject([{ n: 'aspNetComet.timeout' }])
          expect(Number(cursor!.split(':')[1])).toBeLessThan(id)
        }
        await page.glance(node.url)
        expect([page.contents, page.resets]).toEqual([[1], []])
      },
    )
  })

  describe('A message and another ending in one turn', () => {
    test.each(['the message first', 'the ending first'])(
      '(%s) with close(): it is in the answer, or after the answer’s cursor',
      async (order) => {
        const node = await openNode()
        const { privateToken } = await node.newClient()
        const held = way.poll(node.url, privateToken)
        await node.holds(1)
        node.gate.hold()
        const id = await node.channel.sendMessage('M', 1)
        if (order === 'the message first') node.gate.release()
        const closing = node.channel.close()
        if (order === 'the ending first') node.gate.release()
        const { messages, cursor, status } = await held
        const isIn = messages[0]?.n === 'M'
        expect(status).toBe(200)
        if (order === 'the message first') expect(isIn).toBe(true)
        expect(isIn || Number(cursor!.split(':')[1]) < id).toBe(true)
        await closing
      },
    )

    test.each(['the message first', 'the stop first'])(
      '(%s) with a stop: what was sent before it is read, what came after it is not',
      async (order) => {
        const node = await openNode()
        const { privateToken, publicToken } = await node.newClient()
        const held = way.poll(node.url, privateToken)
        await node.holds(1)
        const both =
          order === 'the message first'
            ? [node.channel.sendMessage('M', 1), node.channel.stopClient(publicToken)]
            : [node.channel.stopClient(publicToken), node.channel.sendMessage('M', 1)]
        await Promise.all(both)
        const { messages } = await held
        expect(messages[0]).toMatchObject(
          order === 'the message first' ? { n: 'M' } : { code: 'COMET_CLIENT_IS_STOPPED' },
        )
        expect((await way.glance(node.url, privateToken)).status).toBe(403)
      },
    )
  })
})
