import { describe, expect, jest, test } from '@jest/globals'
import type { Done } from 'koa-comet'
import { InProcCometStateProvider, InProcStorage } from 'koa-comet/providers/in-proc'
import {
  claim,
  initialise,
  initialiseAs,
  join,
  remove,
  reply,
  send,
  stopTopics,
  update,
} from '../../providers/contract/operations.ts'
import { AMPLE_RETENTION } from '../../providers/contract/provider-nodes.ts'
import { RecordingListener } from '../../providers/contract/recording-listener.ts'
import { BoundedReplies } from '../../providers/in-proc/bounded-replies.ts'
import { ForgetfulMap } from '../../providers/in-proc/forgetful-map.ts'

async function openedHead(provider: InProcCometStateProvider): Promise<number> {
  const listener = new RecordingListener()
  await provider.open('comet', listener, AMPLE_RETENTION)
  return listener.log.head
}

describe('The in-process store', () => {
  test('A provider that is given no storage has one of its own', async () => {
    const [one, other] = [new InProcCometStateProvider(), new InProcCometStateProvider()]
    await openedHead(one)
    await openedHead(other)
    await one.append([initialise('ann')])
    expect(await other.append([send('Chat', { receiver: 'ann' })])).toEqual([
      { refused: 'COMET_CLIENT_DOES_NOT_EXIST' },
    ])
  })

  test('Ids begin at the microseconds since 1970', async () => {
    const before = Date.now() * 1000
    const head = await openedHead(new InProcCometStateProvider())
    expect(head).toBeGreaterThanOrEqual(before)
    expect(head).toBeLessThanOrEqual(Date.now() * 1000)
  })

  test('Clients that come and go leave as much in the window as its bytes allow, and no more', () => {
    const channel = new InProcStorage().channel('comet')
    channel.retain({ ...AMPLE_RETENTION, bytes: 6400 })
    for (let round = 0; round < 1000; round += 1) {
      const [done] = channel.append([initialise('ann')])
      if (done && 'id' in done) channel.append([remove('ann', done.id)])
    }
    const { entries, head, trimmedThrough } = channel.retainedLog()
    expect(head - trimmedThrough).toBe(entries.length)
    expect(entries).toHaveLength(100)
  })

  test('The newest entry stays in the window however large it is', () => {
    const channel = new InProcStorage().channel('comet')
    channel.retain({ ...AMPLE_RETENTION, bytes: 10 })
    channel.append([send('Small'), send('Large', { contents: JSON.stringify('x'.repeat(1000)) })])
    expect(channel.retainedLog().entries).toMatchObject([{ name: 'Large' }])
  })

  test('What nobody appends to is trimmed as time goes by', () => {
    let nowMs = 0
    const channel = new InProcStorage(() => nowMs).channel('comet')
    channel.retain({ ...AMPLE_RETENTION, seconds: 60 })
    channel.append([send(), send()])
    nowMs = 59_999
    expect(channel.retainedLog().entries).toHaveLength(2)
    nowMs = 60_000
    const { entries, head, trimmedThrough } = channel.retainedLog()
    expect([entries, trimmedThrough]).toEqual([[], head])
  })

  test('What the store keeps of a client is nobody else’s to change', async () => {
    const channel = new InProcStorage().channel('comet')
    channel.append([initialise('ann')])
    const [client] = [...channel.clients()]
    expect(() => Object.assign(client!.start, { messageId: 7 })).toThrow(TypeError)
    expect(() => (client!.groups as string[]).push('admins')).toThrow(TypeError)
    Object.assign(client!, { displayName: 'somebody else' })
    expect([...channel.clients()][0]!.displayName).toBe('ANN')
  })

  test('What it keeps of a client that was changed is nobody else’s to change either', () => {
    const channel = new InProcStorage().channel('comet')
    channel.append([initialise('ann'), join('ann', 'chess'), update('ann', { displayName: 'Ann' })])
    const [client] = [...channel.clients()]
    expect(client).toMatchObject({ displayName: 'Ann', groups: ['chess'] })
    expect(() => (client!.groups as string[]).push('admins')).toThrow(TypeError)
  })

  test('An audience is found without a look at all clients', () => {
    const channel = new InProcStorage().channel('comet')
    channel.append(Array.from({ length: 1000 }, (_, index) => initialise(`client-${index}`)))
    const member = initialiseAs('ann', { groups: ['g'], userId: 'u', sessionId: 's' }, { maxClients: 2000 })
    channel.append([member])
    const get = jest.spyOn(Map.prototype, 'values')
    const found = ['g:g', 'u:u', 's:s', 'c:ann'].flatMap((topic) => [...channel.clients([topic])])
    expect(get).not.toHaveBeenCalled()
    get.mockRestore()
    expect(found.map(({ publicToken }) => publicToken)).toEqual(['ann', 'ann', 'ann', 'ann'])
    channel.append([stopTopics(['g:g'])])
    expect([...channel.clients(['g:g', 'u:u', 's:s'])]).toEqual([])
  })

  test('Of all replies that are kept 16 MiB are the most: then the oldest are not known any more', () => {
    const channel = new InProcStorage().channel('comet')
    const clients = ['ann', 'bob'].map((name) => {
      const [done] = channel.append([initialise(name)])
      return (done as Done).client!
    })
    const text = JSON.stringify('x'.repeat(512 * 1024))
    for (const client of clients) {
      const claims = Array.from({ length: 20 }, (_, index) => claim(client, `key ${index}`, 'run 1'))
      channel.claim(claims)
      channel.settle(claims.map((each) => reply(each, text)))
    }
    const [ofAnn, ofBob] = clients.map((client) =>
      channel.claim(Array.from({ length: 20 }, (_, index) => claim(client, `key ${index}`, 'run 2'))),
    )
    const dropped = ofAnn!.filter((outcome) => outcome === 'unknown').length
    expect(dropped).toBeGreaterThanOrEqual(8)
    expect(ofAnn!.slice(0, dropped)).toEqual(Array.from({ length: dropped }, () => 'unknown'))
    for (const outcome of [...ofAnn!.slice(dropped), ...ofBob!]) expect(outcome).toEqual({ reply: text })
  })

  test('A provider that was not opened says so', async () => {
    await expect(new InProcCometStateProvider().append([])).rejects.toThrow(TypeError)
  })
})

describe('ForgetfulMap', () => {
  test('forgets after the time that it was given', () => {
    let nowMs = 0
    const map = new ForgetfulMap<string>(10, () => nowMs)
    map.set('a', 'first', 1000)
    nowMs = 999
    expect(map.get('a')).toBe('first')
    nowMs = 1000
    expect(map.get('a')).toBeUndefined()
  })

  test('remembers only so many, and forgets the oldest first', () => {
    const map = new ForgetfulMap<number>(3, () => 0)
    for (const [index, key] of ['a', 'b', 'a', 'c', 'd'].entries()) map.set(key, index, 1000)
    expect(['a', 'b', 'c', 'd'].map((key) => map.get(key))).toEqual([2, undefined, 3, 4])
  })
})

describe('BoundedReplies', () => {
  test('counts what it gives up, and what is deleted, as free again', () => {
    const owners = Array.from({ length: 6 }, (_, index) => ({ index }))
    const replies = new BoundedReplies<object>(3 * 1100)
    const known = () => owners.filter((owner) => replies.get(owner) !== undefined).map(({ index }) => index)
    for (const owner of owners.slice(0, 4)) replies.set(owner, 'x'.repeat(1000))
    expect(known()).toEqual([1, 2, 3])
    replies.delete(owners[2]!)
    replies.set(owners[4]!, 'x'.repeat(1000))
    expect(known()).toEqual([1, 3, 4])
    replies.set(owners[5]!, 'x'.repeat(10_000))
    expect(known()).toEqual([])
  })
})
