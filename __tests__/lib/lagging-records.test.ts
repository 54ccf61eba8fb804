import { afterEach, describe, expect, test } from '@jest/globals'
import { hangingCall } from '../support/hanging-call.ts'
import { closeSites } from '../support/site.ts'
import { overEachTransport } from '../support/transports.ts'
import { openTwoNodes } from '../support/two-nodes.ts'

afterEach(closeSites)

function codeIn({
  messages,
}: {
  readonly messages: readonly { readonly code?: string }[]
}): string | undefined {
  return messages[0]?.code
}

overEachTransport(({ glance, poll }) => {
  describe('A record that is loaded', () => {
    test('ahead of this node is served when the node has caught up with it', async () => {
      const { lagging, current } = await openTwoNodes()
      lagging.gate.hold()
      const { privateToken } = await current.newClient()
      await current.channel.sendMessage('One', 1)
      const { status, outcome, messages } = await glance(lagging.url, privateToken)
      expect([status, outcome]).toEqual([200, 'resumed'])
      expect(messages).toMatchObject([{ n: 'One' }])
    })

    test('ahead of this node is caught up with also for a page whose cursor the node has', async () => {
      const { lagging, current } = await openTwoNodes()
      lagging.gate.hold()
      const from = lagging.channel.cursor()
      await current.channel.sendMessage('One', 1)
      const { privateToken } = await current.newClient({ from })
      const { messages } = await glance(lagging.url, privateToken, {
        cursor: `${from.epoch}:${from.messageId}`,
      })
      expect(messages).toMatchObject([{ n: 'One' }])
    })

    test('ahead of a node that cannot catch up is not served', async () => {
      const { lagging, current } = await openTwoNodes()
      lagging.gate.hold()
      const { privateToken } = await current.newClient()
      lagging.gate.failNext('catchUp')
      expect(codeIn(await glance(lagging.url, privateToken))).toBe('COMET_PROVIDER_IS_UNAVAILABLE')
      expect((await glance(lagging.url, privateToken)).status).toBe(200)
    })

    test.each([
      ['stopped', 403, 'COMET_CLIENT_IS_STOPPED'],
      ['removed', 401, 'COMET_TOKEN_IS_UNKNOWN'],
    ])(
      'is fed what came while it was on its way: a client %s in between is told so',
      async (how, status, code) => {
        const { lagging, current } = await openTwoNodes()
        const { privateToken, publicToken } = await current.newClient()
        const { letGo, asked } = hangingCall(lagging.gate, 'getClient')
        const answer = glance(lagging.url, privateToken)
        await asked
        if (how === 'stopped') await current.channel.stopClient(publicToken)
        else await current.channel.killIdleCometClient(privateToken)
        letGo()
        expect([(await answer).status, codeIn(await answer)]).toEqual([status, code])
      },
    )

    test('and outrun by the window meanwhile is loaded again', async () => {
      const { lagging, current } = await openTwoNodes({ retention: { messages: 2 } })
      const { privateToken } = await current.newClient()
      const { letGo, asked } = hangingCall(lagging.gate, 'getClient')
      const answer = glance(lagging.url, privateToken)
      await asked
      for (let index = 1; index <= 5; index++) await current.channel.sendMessage('M', index)
      letGo()
      const { status, outcome, messages } = await answer
      expect([status, outcome]).toEqual([200, 'reset'])
      expect(messages).toMatchObject([{ c: { reason: 'trimmed' } }, { c: 4 }, { c: 5 }])
    })

    test('and outrun by the window that had its client’s end is loaded again, and the end is told', async () => {
      const { lagging, current } = await openTwoNodes({ retention: { messages: 2 } })
      const { privateToken, publicToken } = await current.newClient()
      const { letGo, asked } = hangingCall(lagging.gate, 'getClient')
      const answer = glance(lagging.url, privateToken)
      await asked
      await current.channel.stopClient(publicToken)
      for (let index = 1; index <= 5; index++) await current.channel.sendMessage('M', index)
      letGo()
      expect(codeIn(await answer)).toBe('COMET_CLIENT_IS_STOPPED')
    })

    test('of a client that is gone and came again under its public token leads to the old one’s end', async () => {
      const { lagging, current } = await openTwoNodes()
      const first = await current.newClient({ publicToken: 'bob' })
      await glance(lagging.url, first.privateToken)
      lagging.gate.hold()
      await current.channel.killIdleCometClient(first.privateToken)
      const second = await current.newClient({ publicToken: 'bob' })
      await current.channel.sendMessage('Secret', 1, { to: 'bob' })
      lagging.gate.release()
      expect((await glance(lagging.url, first.privateToken)).status).toBe(401)
      expect((await glance(lagging.url, second.privateToken)).messages).toMatchObject([{ n: 'Secret' }])
    })
  })

  describe('The removal of a client', () => {
    test('that reaches the node before its request is registered is told to that request', async () => {
      const { lagging, current } = await openTwoNodes()
      const { privateToken, publicToken } = await current.newClient()
      await glance(lagging.url, privateToken)
      const { letGo, asked } = hangingCall(lagging.gate, 'catchUp')
      const answer = poll(lagging.url, privateToken, { cursor: 'another-life:7' })
      await asked
      await current.channel.stopClient(publicToken)
      letGo()
      expect(codeIn(await answer)).toBe('COMET_CLIENT_IS_STOPPED')
    })

    test('while a request is held wakes it: it reads up to there first, and the next one is told', async () => {
      const { lagging, current } = await openTwoNodes()
      const { privateToken, publicToken } = await current.newClient()
      const held = poll(lagging.url, privateToken)
      await lagging.holds(1)
      lagging.gate.hold()
      await current.channel.sendMessage('Last', 1, { to: publicToken })
      await current.channel.stopClient(publicToken)
      await current.newClient({ publicToken })
      await current.channel.sendMessage('ForTheNextBearer', 1, { to: publicToken })
      await current.channel.sendMessage('ForTheLiving', 1)
      lagging.gate.release()
      const { status, cursor, messages } = await held
      expect([status, messages.map(({ n }) => n)]).toEqual([200, ['Last']])
      expect(codeIn(await glance(lagging.url, privateToken, { cursor: cursor! }))).toBe(
        'COMET_CLIENT_IS_STOPPED',
      )
    })

    test('while a request is held, with nothing before it, is told to that request at once', async () => {
      const { lagging, current } = await openTwoNodes()
      const { privateToken, publicToken } = await current.newClient()
      const held = poll(lagging.url, privateToken)
      await lagging.holds(1)
      lagging.gate.hold()
      await current.channel.stopClient(publicToken)
      await current.newClient({ publicToken })
      await current.channel.sendMessage('ForTheNextBearer', 1, { to: publicToken })
      lagging.gate.release()
      expect(codeIn(await held)).toBe('COMET_CLIENT_IS_STOPPED')
    })

    test('that has not reached the node yet is found out when the lease is renewed', async () => {
      const { lagging, current } = await openTwoNodes()
      const { privateToken } = await current.newClient()
      await glance(current.url, privateToken, { headers: { 'Comet-Page': 'p1;new' } })
      await glance(lagging.url, privateToken, { headers: { 'Comet-Page': 'p1' } })
      lagging.gate.hold()
      await current.channel.killIdleCometClient(privateToken)
      const { status, messages } = await glance(lagging.url, privateToken, {
        headers: { 'Comet-Page': 'p2;new' },
      })
      expect([status, messages[0]?.code]).toEqual([401, 'COMET_TOKEN_IS_UNKNOWN'])
    })
  })
})
