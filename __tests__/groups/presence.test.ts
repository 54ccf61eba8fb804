import { afterEach, describe, expect, test } from '@jest/globals'
import type { WireMessage } from '../../lib/wire.ts'
import { closeSites, openSite } from '../support/site.ts'
import { overEachTransport } from '../support/transports.ts'
import { openTwoNodes } from '../support/two-nodes.ts'

afterEach(closeSites)

const PRESENCE = { options: { presence: true } }

const gist = ({ n, c }: WireMessage): unknown[] => {
  const { group, client } = c as { group?: string; client: { publicToken: string } }
  return [n.replace('aspNetComet.', ''), ...(group === undefined ? [] : [group]), client.publicToken]
}

overEachTransport(({ glance, poll }) => {
  describe('With presence', () => {
    test('the members of a group are told who joins, changes and leaves, in the order of all else', async () => {
      const { channel, newClient, url } = await openSite(PRESENCE)
      const ann = await newClient({ publicToken: 'ann', groups: ['room'] })
      await newClient({ publicToken: 'bob', displayName: 'Bob', userId: 'secret', groups: ['room', 'hall'] })
      await channel.sendMessage('M', 1)
      await channel.updateClient('bob', { displayName: 'Robert', data: { seat: 7 } })
      await channel.joinGroup('bob', 'cellar')
      await channel.leaveGroup('bob', 'room')
      await channel.leaveGroup('bob', 'hall')
      const { messages } = await glance(url, ann.privateToken)
      expect(messages.map(({ n, c }) => [n, c])).toEqual([
        [
          'aspNetComet.join',
          { group: 'room', client: { publicToken: 'bob', displayName: 'Bob', data: null } },
        ],
        ['M', 1],
        ['aspNetComet.update', { client: { publicToken: 'bob', displayName: 'Robert', data: { seat: 7 } } }],
        [
          'aspNetComet.leave',
          { group: 'room', client: { publicToken: 'bob', displayName: 'Robert', data: { seat: 7 } } },
        ],
      ])
      const ids = messages.map(({ mid }) => mid)
      expect(ids).toEqual([...new Set(ids)].toSorted((a, b) => a - b))
    })

    test('whoever ends leaves its groups: by being stopped, killed, or idle', async () => {
      const { channel, newClient, url } = await openSite(PRESENCE)
      const ann = await newClient({ publicToken: 'ann', groups: ['a', 'b'] })
      await newClient({ publicToken: 'bob', groups: ['a', 'b', 'c'] })
      const cid = await newClient({ publicToken: 'cid', groups: ['b'] })
      const begin = await glance(url, ann.privateToken)
      await channel.stopClient('bob')
      await channel.killIdleCometClient(cid.privateToken)
      const { messages } = await glance(url, ann.privateToken, { cursor: begin.cursor! })
      expect(messages.map(gist)).toEqual([
        ['leave', 'a', 'bob'],
        ['leave', 'b', 'bob'],
        ['leave', 'b', 'cid'],
      ])
    })

    test('a held request is told at once, on another node too, and nobody is told of himself', async () => {
      const { lagging: one, current: two } = await openTwoNodes({ presence: true })
      const ann = await one.newClient({ publicToken: 'ann', groups: ['room'] })
      const begin = await glance(one.url, ann.privateToken)
      const told = poll(one.url, ann.privateToken, { cursor: begin.cursor! })
      await one.holds(1)
      await two.channel.leaveGroup('ann', 'room')
      await two.channel.joinGroup('ann', 'room')
      await two.newClient({ publicToken: 'bob', groups: ['room'] })
      expect((await told).messages.map(gist)).toEqual([['join', 'room', 'bob']])
    })
  })

  test('Without presence nobody is told', async () => {
    const { channel, newClient, url } = await openSite()
    const ann = await newClient({ groups: ['room'] })
    await newClient({ publicToken: 'bob', groups: ['room'] })
    await channel.updateClient('bob', { displayName: 'Robert' })
    await channel.stopClient('bob')
    const id = await channel.sendMessage('M', 1)
    expect((await glance(url, ann.privateToken)).messages).toEqual([{ mid: id, n: 'M', c: 1 }])
  })
})

test('A client that is updated is so in every list, for its handlers, and in events', async () => {
  const { channel, newClient } = await openSite()
  const { privateToken } = await newClient({ publicToken: 'ann', data: { a: 1 }, groups: ['room'] })
  const told: string[] = []
  channel.on('clientUpdated', ({ displayName }) => told.push(displayName))
  const updated = await channel.updateClient('ann', { displayName: 'Anna' })
  expect(updated).toMatchObject({ displayName: 'Anna', data: { a: 1 }, groups: ['room'] })
  await channel.updateClient('ann', { data: [2] })
  expect(await channel.getCometClient(privateToken)).toMatchObject({ displayName: 'Anna', data: [2] })
  for await (const client of channel.getClients({ group: 'room' })) expect(client.data).toEqual([2])
  await new Promise(setImmediate)
  expect(told).toEqual(['Anna', 'Anna'])
  await expect(channel.updateClient('bob', { data: 1 })).rejects.toMatchObject({
    code: 'COMET_CLIENT_DOES_NOT_EXIST',
  })
  for (const changed of [{ displayName: '' }, { data: 'x'.repeat(5000) }]) {
    await expect(channel.updateClient('ann', changed)).rejects.toMatchObject({
      code: 'COMET_PARAMETERS_ARE_INVALID',
    })
  }
  await expect(channel.updateClient('ann', { userId: 'eve' } as never)).rejects.toThrow(TypeError)
})
