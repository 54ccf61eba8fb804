import { afterEach, describe, expect, test } from '@jest/globals'
import type { Context } from 'koa'
import type { RegisterAnswer } from '../../lib/wire.ts'
import { glance, poll } from '../support/page.ts'
import { closeSites, openSite, type Site } from '../support/site.ts'

afterEach(closeSites)

interface LoginSite extends Site {
  /** Who is logged in: the app's side of it. */
  login(user: string | null | undefined): void
}

async function openLoginSite(connectionTimeoutSeconds = 25): Promise<LoginSite> {
  let user: string | null | undefined = null
  const site = await openSite({
    options: { identify: async () => user, register: () => ({}), connectionTimeoutSeconds },
  })
  return {
    ...site,
    login(next) {
      user = next
    },
  }
}

async function register({ url }: Site): Promise<RegisterAnswer> {
  return (await fetch(`${url}/register`, { method: 'POST' })).json() as Promise<RegisterAnswer>
}

describe('a client that registered while somebody was logged in', () => {
  test('is bound to that user, and served as long as the login lasts', async () => {
    const site = await openLoginSite()
    site.login('ann')
    const { privateToken } = await register(site)
    expect(await site.channel.getCometClient(privateToken)).toMatchObject({ userId: 'ann' })
    for (const _ of [1, 2, 3]) expect((await glance(site.url, privateToken)).status).toBe(200)
  })

  test.each([null, undefined])(
    'field row 19: is refused by code when the login is gone (%s), never served as anonymous',
    async (nobody) => {
      const site = await openLoginSite()
      site.login('ann')
      const { privateToken } = await register(site)
      await site.channel.sendMessage('Secret', 'for ann')
      site.login(nobody)
      const answer = await poll(site.url, privateToken)
      expect(answer.status).toBe(401)
      expect(answer.cursor).toBeNull()
      expect(answer.messages).toMatchObject([{ n: 'aspNetComet.error', code: 'COMET_IDENTITY_IS_LOST' }])
    },
  )

  test('is refused by code when somebody else is logged in', async () => {
    const site = await openLoginSite()
    site.login('ann')
    const { privateToken } = await register(site)
    await site.channel.sendMessage('Secret', 'for ann')
    site.login('bob')
    const answer = await poll(site.url, privateToken)
    expect(answer.status).toBe(403)
    expect(answer.messages).toMatchObject([{ n: 'aspNetComet.error', code: 'COMET_IDENTITY_HAS_CHANGED' }])
  })

  test('is refused at its next poll when the login goes while one is held', async () => {
    const site = await openLoginSite()
    site.login('ann')
    const { privateToken, cursor } = await register(site)
    const polling = poll(site.url, privateToken, { cursor })
    await site.holds(1)
    site.login(null)
    await site.channel.sendMessage('Last', 1)
    const { messages, cursor: next } = await polling
    expect(messages).toMatchObject([{ n: 'Last' }])
    expect((await poll(site.url, privateToken, { cursor: next! })).status).toBe(401)
  })

  test('is served again when its own user is back: a refusal is not for ever', async () => {
    const site = await openLoginSite()
    site.login('ann')
    const { privateToken } = await register(site)
    site.login(null)
    await poll(site.url, privateToken)
    site.login('ann')
    await site.channel.sendMessage('Kept', 1)
    expect((await glance(site.url, privateToken)).messages).toMatchObject([{ n: 'Kept' }])
  })

  test('does not lose its held poll to a refused one with the same token', async () => {
    const site = await openLoginSite()
    site.login('ann')
    const { privateToken } = await register(site)
    const polling = poll(site.url, privateToken)
    await site.holds(1)
    site.login('mallory')
    expect((await poll(site.url, privateToken)).status).toBe(403)
    expect(site.channel.stats().heldRequests).toBe(1)
    await site.channel.sendMessage('Count', 1)
    expect((await polling).messages).toMatchObject([{ c: 1 }])
  })
})

describe('a client that registered while nobody was logged in', () => {
  test('is served, and refused once somebody logs in: its page initialises anew', async () => {
    const site = await openLoginSite()
    const { privateToken } = await register(site)
    expect((await glance(site.url, privateToken)).status).toBe(200)
    site.login('ann')
    const refused = await glance(site.url, privateToken)
    expect([refused.status, refused.messages[0]?.code]).toEqual([403, 'COMET_IDENTITY_HAS_CHANGED'])
    const anew = await register(site)
    expect((await glance(site.url, anew.privateToken)).status).toBe(200)
  })
})

describe('the option identify', () => {
  test('is asked at every subscribe with the request itself', async () => {
    const site = await openSite({ options: { identify: (ctx) => ctx.get('X-User') || null } })
    const { privateToken } = await site.newClient({ userId: 'ann' })
    const statuses = []
    for (const user of ['ann', 'bob', 'ann', '']) {
      statuses.push((await glance(site.url, privateToken, { headers: { 'X-User': user } })).status)
    }
    expect(statuses).toEqual([200, 403, 200, 401])
  })

  test('that is not given leaves a userId alone', async () => {
    const site = await openSite()
    const { privateToken } = await site.newClient({ userId: 'ann' })
    expect((await glance(site.url, privateToken)).status).toBe(200)
  })

  test('that throws answers 500 with a fixed text, and the event error has the rest', async () => {
    const failure = new Error('the database of passwords is away')
    const site = await openSite({ options: { identify: () => Promise.reject(failure) } })
    const { privateToken } = await site.newClient()
    const { status, messages } = await glance(site.url, privateToken)
    expect(status).toBe(500)
    expect(messages).toEqual([
      {
        mid: 0,
        n: 'aspNetComet.error',
        c: 'The server failed. Try again later.',
        code: 'COMET_INTERNAL_ERROR',
      },
    ])
    await new Promise((resolve) => setImmediate(resolve))
    expect(site.errors).toEqual([failure])
    expect(site.channel.stats().heldRequests).toBe(0)
  })
})

describe('an app that says no as Koa does', () => {
  test.each([401, 403])(
    'ctx.throw(%d) in identify is a refusal by code, and no failure of the server',
    async (status) => {
      let isLoggedIn = true
      const identify = (ctx: Context): string => (isLoggedIn ? 'ann' : ctx.throw(status, 'no'))
      const site = await openSite({ options: { identify, register: () => ({}) } })
      const { privateToken } = await register(site)
      isLoggedIn = false
      const answer = await glance(site.url, privateToken)
      expect([answer.status, answer.messages[0]?.code]).toEqual([401, 'COMET_IDENTITY_IS_LOST'])
      const refused = await fetch(`${site.url}/register`, { method: 'POST' })
      expect([refused.status, await refused.json()]).toMatchObject([
        403,
        [{ code: 'COMET_REGISTRATION_IS_REFUSED' }],
      ])
      expect(site.errors).toEqual([])
    },
  )

  test('ctx.throw(403) in register refuses the page', async () => {
    const site = await openSite({ options: { register: (ctx) => ctx.throw(403, 'no') } })
    const refused = await fetch(`${site.url}/register`, { method: 'POST' })
    expect([refused.status, await refused.json()]).toMatchObject([
      403,
      [{ code: 'COMET_REGISTRATION_IS_REFUSED' }],
    ])
    expect(site.errors).toEqual([])
  })

  test('anything else that it throws is a failure of the server, and tells the page nothing', async () => {
    const site = await openSite({ options: { register: (ctx) => ctx.throw(500, 'secret') } })
    const failed = await fetch(`${site.url}/register`, { method: 'POST' })
    expect([failed.status, (await failed.text()).includes('secret')]).toEqual([500, false])
    expect(site.errors).toHaveLength(1)
  })
})
