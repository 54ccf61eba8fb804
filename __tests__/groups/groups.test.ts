import { afterEach, describe, expect, test } from '@jest/globals'
import { closeSites, openSite } from '../support/site.ts'
import { TestPage } from '../support/test-page.ts'
import { overEachTransport } from '../support/transports.ts'
import { openNodes, openTwoNodes } from '../support/two-nodes.ts'

afterEach(closeSites)

overEachTransport(({ transport }) => {
  describe('A message to a group', () => {
    test('is for its members, and for nobody else', async () => {
      const { channel, newClient, url } = await openSite()
      const inside = new TestPage(transport, await newClient({ groups: ['room-1', 'room-2'] }))
      const outside = new TestPage(transport, await newClient({ groups: ['room-3'] }))
      for (const group of ['room-1', 'room-2', 'nobody']) await channel.sendMessage('M', group, { group })
      await inside.glance(url)
      await outside.glance(url)
      expect([inside.contents, outside.contents]).toEqual([['room-1', 'room-2'], []])
    })

    test('is for those who were members when it was sent, whoever reads late', async () => {
      const { channel, newClient, url } = await openSite()
      const client = await newClient()
      const late = new TestPage(transport, client)
      const { publicToken } = client
      const send = (contents: string) => channel.sendMessage('M', contents, { group: 'room' })
      await send('before')
      await channel.joinGroup(publicToken, 'room')
      await send('member')
      await channel.leaveGroup(publicToken, 'room')
      await send('gone')
      await channel.joinGroup(publicToken, 'room')
      await send('member again')
      await channel.leaveGroup(publicToken, 'room')
      await late.glance(url)
      expect(late.contents).toEqual(['member', 'member again'])
      expect(late.resets).toEqual([])
    })

    test('reaches a held request whose client joined meanwhile, and none whose client left', async () => {
      const { channel, newClient, url, holds } = await openSite()
      const joining = await newClient()
      const leaving = await newClient({ groups: ['room'] })
      const pages = [new TestPage(transport, joining), new TestPage(transport, leaving)] as const
      const told = pages.map((page) => page.next(url))
      await holds(2)
      await channel.joinGroup(joining.publicToken, 'room')
      await channel.leaveGroup(leaving.publicToken, 'room')
      await channel.sendMessage('M', 'to the room', { group: 'room' })
      await channel.sendMessage('M', 'to all')
      await Promise.all(told)
      for (const page of pages) await page.glance(url)
      expect(pages.map(({ contents }) => contents)).toEqual([['to the room', 'to all'], ['to all']])
    })

    test('in one turn with the join and the leave is for who was a member in their order', async () => {
      const { channel, newClient, url, holds } = await openSite()
      const { publicToken, ...client } = await newClient()
      const page = new TestPage(transport, client)
      const told = page.next(url)
      await holds(1)
      const send = (contents: number) => channel.sendMessage('M', contents, { group: 'room' })
      await Promise.all([
        send(1),
        channel.joinGroup(publicToken, 'room'),
        send(2),
        channel.leaveGroup(publicToken, 'room'),
        send(3),
      ])
      await told
      await page.glance(url)
      expect(page.contents).toEqual([2])
    })

    test('reaches a member on any node, that joined on another, without joining again', async () => {
      const { lagging: one, current: two } = await openTwoNodes()
      const client = await one.newClient()
      const page = new TestPage(transport, client)
      await page.visit(one.url)
      await two.channel.joinGroup(client.publicToken, 'room')
      await two.channel.sendMessage('M', 1, { group: 'room' })
      await page.next(one.url)
      await one.channel.sendMessage('M', 2, { group: 'room' })
      await page.next(two.url)
      await page.drop()
      await one.channel.sendMessage('M', 3, { group: 'room' })
      await page.glance(one.url)
      expect(page.contents).toEqual([1, 2, 3])
    })

    test('is for a client’s groups of the beginning as of where the client starts to read', async () => {
      const { channel, newClient, url } = await openSite()
      await channel.open()
      await channel.sendMessage('M', 'shown by the app', { group: 'room' })
      const from = channel.cursor()
      await channel.sendMessage('M', 'since', { group: 'room' })
      const page = new TestPage(transport, await newClient({ groups: ['room'], from }))
      await page.glance(url)
      expect(page.contents).toEqual(['since'])
    })

    test('is lost to nobody who changes groups more often than is kept: such a page is told', async () => {
      const { channel, newClient, url } = await openSite()
      const client = await newClient()
      const page = new TestPage(transport, client)
      const { publicToken } = client
      await channel.joinGroup(publicToken, 'first')
      await channel.sendMessage('M', 'lost', { group: 'first' })
      await channel.leaveGroup(publicToken, 'first')
      for (let index = 0; index < 100; index++) {
        await channel.joinGroup(publicToken, `group-${index}`)
        await channel.sendMessage('M', index, { group: `group-${index}` })
        await channel.leaveGroup(publicToken, `group-${index}`)
      }
      await page.glance(url)
      expect(page.resets).toMatchObject([{ reason: 'trimmed' }])
      expect(page.contents).toHaveLength(100)
    })
  })
})

describe('A group', () => {
  test('is there as long as it has members', async () => {
    const { channel, newClient } = await openSite()
    const [ann, bob] = [await newClient(), await newClient({ groups: ['room'] })]
    const members = async () => {
      const tokens: string[] = []
      for await (const { publicToken } of channel.getClients({ group: 'room' })) tokens.push(publicToken)
      return tokens
    }
    await channel.joinGroup(ann.publicToken, 'room')
    expect((await members()).toSorted()).toEqual([ann.publicToken, bob.publicToken].toSorted())
    await channel.leaveGroup(ann.publicToken, 'room')
    await channel.stopClient(bob.publicToken)
    expect(await members()).toEqual([])
    expect(await channel.countClients({ group: 'room' })).toEqual({ clients: 0, users: 0 })
  })

  test('has any name, and one form of it for joining, leaving and sending', async () => {
    const { channel, newClient } = await openSite()
    const { publicToken } = await newClient()
    const composed = 'caf\u00e9'
    const decomposed = 'cafe\u0301'
    await channel.joinGroup(publicToken, composed)
    expect(await channel.countClients({ group: decomposed })).toEqual({ clients: 1, users: 0 })
    expect(await channel.leaveGroup(publicToken, decomposed)).toBe(true)
    for (const name of ['__proto__', 'constructor', '*', 'g:x', ' ', '😀', 'ROOM', "'; --", 'a\u0000b']) {
      await channel.joinGroup(publicToken, name)
      expect(await channel.countClients({ group: name })).toEqual({ clients: 1, users: 0 })
    }
    expect(await channel.countClients({ group: 'room' })).toEqual({ clients: 0, users: 0 })
  })

  test('is not joined twice, nor left by one that is not in it', async () => {
    const { channel, newClient } = await openSite()
    const { publicToken } = await newClient()
    const joined = await channel.joinGroup(publicToken, 'room')
    expect(await channel.joinGroup(publicToken, 'room')).toBeGreaterThanOrEqual(joined)
    expect(await channel.leaveGroup(publicToken, 'room')).toBe(true)
    expect(await channel.leaveGroup(publicToken, 'room')).toBe(false)
  })

  test('is joined when this node has applied it: what it reads then is as of the join', async () => {
    const { lagging, current } = await openTwoNodes()
    const { publicToken } = await current.newClient()
    await current.channel.sendMessage('M', 'before', { group: 'room' })
    const joined = await lagging.channel.joinGroup(publicToken, 'room')
    expect(lagging.channel.cursor().messageId).toBeGreaterThanOrEqual(joined)
    expect(lagging.channel.getMessages({ group: 'room' })).toMatchObject([{ contents: 'before' }])
  })

  test('is refused with a code where it cannot be joined', async () => {
    const { channel, newClient } = await openSite({ options: { maxGroupsPerClient: 2 } })
    const { publicToken } = await newClient({ groups: ['a'] })
    await channel.joinGroup(publicToken, 'b')
    const code = (code: string) => expect.objectContaining({ code })
    await expect(channel.joinGroup(publicToken, 'c')).rejects.toEqual(
      code('COMET_CLIENT_HAS_TOO_MANY_GROUPS'),
    )
    await expect(channel.joinGroup('nobody', 'a')).rejects.toEqual(code('COMET_CLIENT_DOES_NOT_EXIST'))
    for (const name of ['', 'x'.repeat(129), '\ud800', 7 as never]) {
      await expect(channel.joinGroup(publicToken, name)).rejects.toEqual(code('COMET_PARAMETERS_ARE_INVALID'))
    }
    await expect(newClient({ groups: ['a', 'b', 'c'] })).rejects.toEqual(
      code('COMET_CLIENT_HAS_TOO_MANY_GROUPS'),
    )
  })
})

describe('Of two nodes', () => {
  test('each tells once who joined and left there, in order, also with a client that is removed', async () => {
    const [one, two] = await openNodes(2)
    const told: unknown[] = []
    for (const [index, { channel }] of [one!, two!].entries()) {
      for (const event of ['clientJoined', 'clientLeft'] as const) {
        channel.on(event, (client, { group }) => told.push([index, event, client.publicToken, group]))
      }
      channel.on('clientDisconnected', (client) => told.push([index, 'gone', client.publicToken]))
    }
    await one!.newClient({ publicToken: 'ann', groups: ['a'] })
    await two!.channel.joinGroup('ann', 'b')
    await two!.channel.joinGroup('ann', 'b')
    await one!.channel.leaveGroup('ann', 'a')
    await two!.channel.stopClient({ group: 'b' })
    await new Promise(setImmediate)
    expect(told).toEqual([
      [0, 'clientJoined', 'ann', 'a'],
      [1, 'clientJoined', 'ann', 'b'],
      [0, 'clientLeft', 'ann', 'a'],
      [1, 'clientLeft', 'ann', 'b'],
      [1, 'gone', 'ann'],
    ])
  })
})
