import { afterEach, describe, expect, test } from '@jest/globals'
import { type CometClient, type CometOptions, CometRefusal } from 'koa-comet'
import { eventually } from '../support/eventually.ts'
import { glance } from '../support/page.ts'
import { post, posted } from '../support/post.ts'
import { closeSites, openSite } from '../support/site.ts'
import { openTwoNodes } from '../support/two-nodes.ts'

afterEach(closeSites)

const OPEN: CometOptions = { joinable: (_client, group) => group.startsWith('open-') }

describe('The page of a client', () => {
  test('joins and leaves the groups that it may, and is told which it is in', async () => {
    const { channel, newClient, url } = await openSite({ options: OPEN })
    const { privateToken } = await newClient({ groups: ['hall'] })
    const change = (body: object) => post(`${url}/groups`, privateToken, body)
    expect((await change({ join: ['open-1', 'open-2', 'open-1'] })).body).toEqual({
      groups: ['hall', 'open-1', 'open-2'],
    })
    await channel.sendMessage('M', 1, { group: 'open-1' })
    expect((await change({ join: ['open-3'], leave: ['open-1', 'open-9'] })).body).toEqual({
      groups: ['hall', 'open-2', 'open-3'],
    })
    await channel.sendMessage('M', 2, { group: 'open-1' })
    expect((await change({})).body).toEqual({ groups: ['hall', 'open-2', 'open-3'] })
    expect((await glance(url, privateToken)).messages.map(({ c }) => c)).toEqual([1])
  })

  test('joins and leaves none if it may not join or leave all of them', async () => {
    const { newClient, url } = await openSite({ options: OPEN })
    const { privateToken } = await newClient({ groups: ['hall'] })
    for (const body of [{ join: ['open-1', 'cellar'] }, { join: ['open-1'], leave: ['hall'] }]) {
      expect(await post(`${url}/groups`, privateToken, body)).toMatchObject({
        status: 403,
        error: { code: 'COMET_GROUP_IS_REFUSED' },
      })
    }
    expect((await post(`${url}/groups`, privateToken, {})).body).toEqual({ groups: ['hall'] })
  })

  test('may change a group for another when it is in as many as it can be', async () => {
    const { newClient, url } = await openSite({ options: { ...OPEN, maxGroupsPerClient: 2 } })
    const { privateToken } = await newClient({ groups: ['open-1', 'open-2'] })
    const change = (body: object) => post(`${url}/groups`, privateToken, body)
    expect(await change({ join: ['open-3'] })).toMatchObject({
      status: 409,
      error: { code: 'COMET_CLIENT_HAS_TOO_MANY_GROUPS' },
    })
    expect((await change({ join: ['open-3'], leave: ['open-1'] })).body).toEqual({
      groups: ['open-2', 'open-3'],
    })
  })

  test('cannot ask at all unless the option joinable is set, nor without a token, or with something else', async () => {
    const closed = await openSite()
    const { privateToken: stranger } = await closed.newClient()
    expect((await fetch(`${closed.url}/groups`, { method: 'POST' })).status).toBe(404)
    const { newClient, url } = await openSite({ options: OPEN })
    const { privateToken } = await newClient()
    expect((await post(`${url}/groups`, undefined, {})).status).toBe(401)
    expect((await post(`${url}/groups`, stranger, {})).status).toBe(401)
    expect((await fetch(`${url}/groups`)).status).toBe(405)
    const many = Array.from({ length: 101 }, (_, index) => `open-${index}`)
    for (const join of ['open-1', [7], [''], ['x'.repeat(129)], many, { length: 1 }]) {
      expect((await post(`${url}/groups`, privateToken, { join })).status).toBe(400)
    }
  })

  test('is let in by the app’s own answer alone: a forgotten one is an error of the server', async () => {
    const { newClient, url, errors } = await openSite({
      options: { joinable: (() => undefined) as never },
    })
    const { privateToken } = await newClient()
    expect((await post(`${url}/groups`, privateToken, { join: ['a'] })).status).toBe(500)
    expect(errors).toEqual([expect.any(TypeError)])
  })
})

describe('The list of clients', () => {
  const LISTS: CometOptions = {
    clientList: (client: CometClient, group) => group !== undefined && client.groups.includes(group),
  }
  const list = async (url: string, privateToken: string, query = '') =>
    posted(await fetch(`${url}/clients${query}`, { headers: { Authorization: `Bearer ${privateToken}` } }))

  test('shows who is in a group, the public part alone, and counts clients and users', async () => {
    const { channel, newClient, url } = await openSite({ options: LISTS })
    const { privateToken } = await newClient({ publicToken: 'ann', groups: ['a room'], userId: 'u' })
    await newClient({ publicToken: 'bob', displayName: 'Bob', groups: ['a room', 'secret'], userId: 'u' })
    await newClient({ publicToken: 'cid', groups: ['hall'] })
    const { messageId: asOf } = channel.cursor()
    const { status, body } = await list(url, privateToken, '?group=a%20room')
    expect(status).toBe(200)
    expect(body).toEqual({
      clients: [
        { publicToken: 'ann', displayName: 'ann', data: null },
        { publicToken: 'bob', displayName: 'Bob', data: null },
      ],
      counts: { clients: 2, users: 1 },
      asOf,
    })
  })

  test('shows a thousand at most, and counts all', async () => {
    const { newClient, url } = await openSite({ options: LISTS })
    const { privateToken } = await newClient({ groups: ['room'] })
    await Promise.all(Array.from({ length: 1100 }, () => newClient({ groups: ['room'] })))
    const { body } = await list(url, privateToken, '?group=room')
    expect(body).toMatchObject({ counts: { clients: 1101, users: 0 } })
    expect((body as { clients: unknown[] }).clients).toHaveLength(1000)
  })

  test('is shown to those who may see it', async () => {
    const { newClient, url } = await openSite({ options: LISTS })
    const { privateToken } = await newClient({ groups: ['room'] })
    for (const query of ['', '?group=hall']) {
      expect(await list(url, privateToken, query)).toMatchObject({
        status: 403,
        error: { code: 'COMET_ACTION_IS_REFUSED' },
      })
    }
    for (const query of ['?group=', '?group=a&group=b', `?group=${'x'.repeat(129)}`]) {
      expect((await list(url, privateToken, query)).status).toBe(400)
    }
    expect((await list(url, 'x'.repeat(43), '?group=room')).status).toBe(401)
    expect((await fetch(`${url}/clients`, { method: 'POST' })).status).toBe(405)
    const closed = await openSite()
    expect((await fetch(`${closed.url}/clients`)).status).toBe(404)
  })
})

describe('A request', () => {
  test('to an address that no option offers is told so, with a code that no page takes for another server', async () => {
    const { newClient, url } = await openSite()
    const { privateToken } = await newClient()
    const groups = await post(`${url}/groups`, privateToken, { join: ['a'] })
    const clients = await posted(await fetch(`${url}/clients?group=a`))
    for (const { status, error } of [groups, clients]) {
      expect([status, error?.code]).toEqual([404, 'COMET_NOT_OFFERED'])
    }
  })

  test('counts as one for each group that it names, and is paid for afterwards if these are many', async () => {
    const options = { joinable: () => true, maxRequestsPerSecond: 2 }
    const { newClient, url } = await openSite({ options })
    const { privateToken } = await newClient()
    const names = (count: number) => Array.from({ length: count }, (_, index) => `group-${index}`)
    const change = (join: string[]) => post(`${url}/groups`, privateToken, { join })
    expect((await change(names(6))).status).toBe(200)
    expect((await change(names(6))).status).toBe(200)
    expect(await change([])).toMatchObject({ status: 429, error: { code: 'COMET_TOO_MANY_REQUESTS' } })
    const { newClient: another, url: elsewhere } = await openSite({ options })
    const fresh = await another()
    expect((await post(`${elsewhere}/groups`, fresh.privateToken, { join: names(50) })).status).toBe(200)
  })

  test('of a client that is gone elsewhere is refused as any other of it, on a node that lags', async () => {
    const { lagging, current } = await openTwoNodes({ joinable: () => true })
    const { privateToken } = await current.newClient()
    await glance(lagging.url, privateToken)
    lagging.gate.hold()
    await current.channel.killIdleCometClient(privateToken)
    const { status, error } = await post(`${lagging.url}/groups`, privateToken, { join: ['a'] })
    expect([status, error?.code]).toEqual([401, 'COMET_TOKEN_IS_UNKNOWN'])
  })
})

describe('What the app’s own functions throw', () => {
  test('as a refusal of its own is told to the page, with the code and why', async () => {
    const joinable = (_client: CometClient, _group: string, action: 'join' | 'leave') => {
      if (action === 'join') throw new CometRefusal('ROOM_IS_FULL', 'Ten are in it.', { most: 10 })
      return true
    }
    const { newClient, url, errors } = await openSite({ options: { joinable } })
    const { privateToken } = await newClient({ groups: ['room'] })
    expect(await post(`${url}/groups`, privateToken, { join: ['hall'] })).toMatchObject({
      status: 422,
      error: { code: 'ROOM_IS_FULL', c: 'Ten are in it.', details: { most: 10 } },
    })
    expect((await post(`${url}/groups`, privateToken, { leave: ['room'] })).body).toEqual({ groups: [] })
    expect(errors).toEqual([])
  })

  test('by mistake ends that one request for good: the page does not repeat it', async () => {
    const fails = () => {
      throw new Error('secret')
    }
    const { newClient, url, errors } = await openSite({ options: { joinable: fails, clientList: fails } })
    const { privateToken } = await newClient()
    const headers = { Authorization: `Bearer ${privateToken}` }
    const joined = await post(`${url}/groups`, privateToken, { join: ['a'] })
    const listed = await posted(await fetch(`${url}/clients`, { headers }))
    for (const { status, error, body } of [joined, listed]) {
      expect([status, error?.code]).toEqual([500, 'COMET_SEND_HAS_FAILED'])
      expect(JSON.stringify(body)).not.toContain('secret')
    }
    await eventually(() => errors.length === 2)
  })
})
