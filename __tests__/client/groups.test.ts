import { describe, expect, test } from '@jest/globals'
import type { CometError } from '../../client/index.ts'
import {
  connectRegistered,
  expectNoRequest,
  nextGroups,
  nextSent,
  openPage,
  outcome,
  type Page,
  TOKEN,
  theServer,
  useServer,
  withoutJitter,
} from './harness.ts'
import type { Received } from './scripted-server.ts'

useServer()

async function openConnected(): Promise<Page & { poll: Received }> {
  withoutJitter()
  const page = openPage(null)
  page.channel.subscribe()
  return { ...page, poll: await connectRegistered() }
}

describe('joinGroup() and leaveGroup()', () => {
  test('resolve when the server has answered', async () => {
    const { channel } = await openConnected()
    const joined = channel.joinGroup('Räume & "Türen"')
    const { request, join, leave } = await nextGroups()
    expect([join, leave]).toEqual([['Räume & "Türen"'], []])
    expect(request.headers.authorization).toBe('Bearer private-token-number-one')
    request.json({ groups: join })
    expect(await joined).toBeUndefined()
    const left = channel.leaveGroup('Räume & "Türen"')
    const second = await nextGroups()
    expect([second.join, second.leave]).toEqual([[], join])
    second.request.json({ groups: [] })
    expect(await left).toBeUndefined()
  })

  test.each([
    [403, 'COMET_GROUP_IS_REFUSED'],
    [409, 'COMET_CLIENT_HAS_TOO_MANY_GROUPS'],
    [404, 'COMET_NOT_OFFERED'],
    [422, 'INVITE_TOKEN_IS_UNKNOWN'],
  ])('are rejected with what the server refuses with: %i %s', async (status, code) => {
    const { channel, seen } = await openConnected()
    const refused = channel.joinGroup('room').catch((error: unknown) => error)
    ;(await nextGroups()).request.error(status, code)
    expect(await refused).toMatchObject({ code, status, willRetry: false })
    expect(seen).toEqual(['state:connecting', 'state:connected'])
  })

  test('where the server offers no page to leave, or to join, are rejected, and what waits behind goes on', async () => {
    const { channel } = await openConnected()
    const asked = [channel.joinGroup('room'), channel.leaveGroup('room'), channel.send('Say', 1)].map(outcome)
    ;(await nextGroups()).request.error(404, 'COMET_NOT_OFFERED')
    ;(await nextGroups()).request.error(404, 'COMET_NOT_OFFERED')
    ;(await nextSent()).request.json({ c: 'done' })
    expect(await Promise.all(asked)).toEqual(['COMET_NOT_OFFERED', 'COMET_NOT_OFFERED', 'done'])
  })

  test('that find the client forgotten have the page renew it at once, and go as the new client', async () => {
    const { channel, poll } = await openConnected()
    const joined = channel.joinGroup('room')
    ;(await nextGroups()).request.error(401, 'COMET_TOKEN_IS_UNKNOWN')
    await poll.closed()
    ;(await theServer().next()).error(401, 'COMET_TOKEN_IS_UNKNOWN')
    ;(await theServer().next()).registered({ privateToken: 'private-token-number-two', cursor: 'e2:5' })
    const requests = [await theServer().next(), await theServer().next()]
    const again = requests.find(({ url }) => url === '/comet/groups')!
    expect(again.headers.authorization).toBe('Bearer private-token-number-two')
    again.json({ groups: ['room'] })
    expect(await joined).toBeUndefined()
  })

  test('send a name in the one form that Unicode holds for the same (NFC), however it was spelled', async () => {
    const { channel } = await openConnected()
    const joined = channel.joinGroup('cafe\u0301')
    const first = await nextGroups()
    expect(first.join).toEqual(['caf\u00e9'])
    first.request.json({ groups: first.join })
    await joined
    const left = channel.leaveGroup('cafe\u0301')
    const second = await nextGroups()
    expect(second.leave).toEqual(['caf\u00e9'])
    second.request.json({ groups: [] })
    await left
  })

  test('are repeated until they are answered', async () => {
    const { channel } = await openConnected()
    const joined = channel.joinGroup('room')
    ;(await nextGroups()).request.drop()
    ;(await nextGroups()).request.error(503, 'COMET_CHANNEL_IS_CLOSING')
    ;(await nextGroups()).request.json({ groups: ['room'] })
    await joined
  })

  test.each(['joinGroup', 'leaveGroup', 'getClients'] as const)(
    '%s takes nothing but text',
    async (method) => {
      const { channel } = await openConnected()
      await expect(Reflect.apply(channel[method], channel, [7])).rejects.toThrow(
        /group must be a string, got number/,
      )
      await expectNoRequest()
    },
  )
})

describe('getClients()', () => {
  const answer = {
    clients: [{ publicToken: 'public-1', displayName: 'Ada', data: { color: 'red' } }],
    counts: { clients: 1, users: 1 },
    asOf: 12,
  }

  test('gives who is in a group', async () => {
    const { channel } = await openConnected()
    const clients = channel.getClients('Räume & Türen')
    const request = await theServer().next()
    expect(request.method).toBe('GET')
    expect(new URL(request.url, theServer().url).pathname).toBe('/comet/clients')
    expect(new URL(request.url, theServer().url).searchParams.get('group')).toBe('Räume & Türen')
    expect(request.headers.authorization).toBe('Bearer private-token-number-one')
    request.json(answer)
    expect(await clients).toEqual(answer)
  })

  test('asks by the name in the form in which the server keeps it (NFC)', async () => {
    const { channel } = await openConnected()
    const clients = channel.getClients('cafe\u0301')
    const request = await theServer().next()
    expect(new URL(request.url, theServer().url).searchParams.get('group')).toBe('caf\u00e9')
    request.json(answer)
    await clients
  })

  test('keeps the query of the address, and asks for all without a group', async () => {
    const { channel } = openPage(TOKEN, {}, '?tenant=7')
    const clients = channel.getClients()
    const request = await theServer().next()
    expect(request.url).toBe('/comet/clients?tenant=7')
    request.json(answer)
    await clients
  })

  test('does not wait for a handler that is slow', async () => {
    const { channel } = await openConnected()
    const sent = channel.send('Say', 1)
    const slow = await nextSent()
    const clients = channel.getClients('room')
    ;(await theServer().next()).json(answer)
    expect(await clients).toEqual(answer)
    slow.request.json({ c: 'done' })
    expect(await sent).toBe('done')
  })

  test('waits for a token, and is repeated until it is answered', async () => {
    withoutJitter()
    const { channel } = openPage(null)
    const clients = channel.getClients('room')
    channel.subscribe()
    ;(await theServer().next()).registered()
    const requests = [await theServer().next(), await theServer().next()]
    requests.find(({ url }) => url !== '/comet')!.drop()
    ;(await theServer().next()).json({ lacks: 'everything' })
    ;(await theServer().next()).json(answer)
    expect(await clients).toEqual(answer)
  })

  test.each([
    [403, 'COMET_ACCESS_IS_DENIED'],
    [404, 'COMET_NOT_OFFERED'],
    [422, 'MY_IDENTITY_IS_LOST'],
  ])('is rejected with what the server refuses with: %i %s', async (status, code) => {
    const { channel } = await openConnected()
    const refused = outcome(channel.getClients('room'))
    ;(await theServer().next()).error(status, code)
    expect(await refused).toBe(code)
  })
})

describe('notices of presence', () => {
  const client = { publicToken: 'public-2', displayName: 'Bob', data: null }

  test('are handed out as messages are: in order, each once, and move the cursor', async () => {
    const { channel, poll, until, seen } = await openConnected()
    const told: unknown[] = []
    channel.on('aspNetComet.join', (contents, { mid }) => told.push(['join', contents, mid]))
    channel.on('aspNetComet.leave', ({ group }) => told.push(['leave', group]))
    channel.on('aspNetComet.update', ({ client: { displayName } }) => told.push(['update', displayName]))
    const join = { mid: 11, n: 'aspNetComet.join', c: { group: 'room', client } }
    const update = { mid: 12, n: 'aspNetComet.update', c: { client: { ...client, displayName: 'Bobby' } } }
    poll.messages('e1:12', [join, update])
    const next = await theServer().next()
    expect(next.headers['last-event-id']).toBe('e1:12')
    next.messages('e1:13', [update, { mid: 13, n: 'aspNetComet.leave', c: { group: 'room', client } }])
    await until('message:13')
    expect(told).toEqual([
      ['join', { group: 'room', client }, 11],
      ['update', 'Bobby'],
      ['leave', 'room'],
    ])
    expect(seen.filter((each) => each.startsWith('message'))).toEqual([
      'message:11',
      'message:12',
      'message:13',
    ])
  })

  test.each(['aspNetComet.joined', 'aspNetComet.x.join', 'aspNetComet.'])(
    'other reserved names are ignored still: %s',
    async (n) => {
      const { poll, seen } = await openConnected()
      poll.messages('e1:11', [{ mid: 11, n, c: null }])
      await theServer().next()
      expect(seen).toEqual(['state:connecting', 'state:connected'])
    },
  )
})

test('what an error knows beside its code is there for who refuses and who is refused', async () => {
  const { channel } = await openConnected()
  const refused = channel.joinGroup('room').catch((error: unknown) => error as CometError)
  ;(await nextGroups()).request.error(422, 'ROOM_IS_FULL', {}, { most: 8 })
  expect(await refused).toMatchObject({ code: 'ROOM_IS_FULL', details: { most: 8 }, willRetry: false })
})
