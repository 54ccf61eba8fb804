import { afterEach, describe, expect, test } from '@jest/globals'
import type { Operation, Outcome } from 'koa-comet'
import { InProcCometStateProvider } from 'koa-comet/providers/in-proc'
import { glance, poll } from '../support/page.ts'
import { ProviderWrapper } from '../support/provider-wrapper.ts'
import { closeSites, openSite } from '../support/site.ts'

afterEach(closeSites)

/** Writes down everything that the manager tells its provider. */
class Eavesdropper extends ProviderWrapper {
  readonly heard: unknown[] = []
  override append(operations: readonly Operation[]): Promise<Outcome[]> {
    this.heard.push(...operations)
    return super.append(operations)
  }
  override getClient(hash: string): ReturnType<ProviderWrapper['getClient']> {
    this.heard.push(hash)
    return super.getClient(hash)
  }
}

describe('initializeClient', () => {
  test('gives the whole record, and the private token this once', async () => {
    const { channel } = await openSite()
    const data = { colour: 'red' }
    const client = await channel.initializeClient({
      publicToken: 'ann',
      displayName: 'Ann',
      userId: '7',
      sessionId: 's',
      data,
    })
    const { privateToken, ...record } = client
    expect(record).toEqual({
      publicToken: 'ann',
      displayName: 'Ann',
      userId: '7',
      sessionId: 's',
      groups: [],
      data,
      createdAt: expect.any(Number),
      lastSeenAt: expect.any(Number),
      connectionTimeoutSeconds: 25,
      connectionIdleSeconds: 90,
      generation: channel.cursor().messageId,
      start: channel.cursor(),
    })
    expect(await channel.getCometClient(privateToken)).toEqual(record)
    for await (const listed of channel.getClients()) expect(listed).toEqual(record)
  })

  test('never tells the provider the private token', async () => {
    const provider = new Eavesdropper(new InProcCometStateProvider())
    const { channel, url } = await openSite({ provider })
    const privateToken = 'this-is-a-secret-of-the-app'
    await channel.initializeClient({ publicToken: 'ann', privateToken })
    await glance(url, privateToken)
    await channel.getCometClient(privateToken)
    await channel.killIdleCometClient(privateToken)
    expect(provider.heard.length).toBeGreaterThan(3)
    expect(JSON.stringify(provider.heard)).not.toContain(privateToken)
  })

  test('refuses either token while it is in use, and takes it when that is over', async () => {
    const { channel } = await openSite()
    const { privateToken } = await channel.initializeClient({ publicToken: 'ann' })
    const inUse = { code: 'COMET_CLIENT_ALREADY_EXISTS', status: 409 }
    await expect(channel.initializeClient({ publicToken: 'ann' })).rejects.toMatchObject(inUse)
    await expect(channel.initializeClient({ publicToken: 'bob', privateToken })).rejects.toMatchObject(inUse)
    await channel.killIdleCometClient(privateToken)
    await channel.initializeClient({ publicToken: 'ann', privateToken })
  })

  test('of two at once with one public token, one is refused', async () => {
    const { channel } = await openSite()
    const settled = await Promise.allSettled(
      [1, 2].map(() => channel.initializeClient({ publicToken: 'ann' })),
    )
    expect(settled.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  })

  test('Promise 8: refuses more than maxClients, and there is room again when one has gone', async () => {
    const { channel } = await openSite({ options: { maxClients: 2 } })
    const { privateToken } = await channel.initializeClient({ publicToken: 'ann' })
    await channel.initializeClient({ publicToken: 'bob' })
    const full = {
      code: 'COMET_TOO_MANY_CLIENTS',
      status: 503,
      message: expect.stringContaining('2 clients'),
    }
    await expect(channel.initializeClient({ publicToken: 'cid' })).rejects.toMatchObject(full)
    await channel.killIdleCometClient(privateToken)
    await channel.initializeClient({ publicToken: 'cid' })
  })

  test('takes the channel’s timeouts, or the client’s own', async () => {
    const { channel } = await openSite({
      options: { connectionTimeoutSeconds: 7, connectionIdleSeconds: 11 },
    })
    const usual = await channel.initializeClient({ publicToken: 'ann' })
    expect(usual).toMatchObject({ connectionTimeoutSeconds: 7, connectionIdleSeconds: 11 })
    const own = await channel.initializeClient({ publicToken: 'bob', connectionTimeoutSeconds: 5 })
    expect(own).toMatchObject({ connectionTimeoutSeconds: 5, connectionIdleSeconds: 11 })
  })
})

describe('getCometClient and getClients', () => {
  test('know nobody by a token that was never issued, also none that every object has', async () => {
    const { channel } = await openSite()
    for (const token of ['nobody', '', '__proto__', 'constructor']) {
      const missing = {
        code: 'COMET_CLIENT_DOES_NOT_EXIST',
        status: 404,
        message: 'CometClient does not exist.',
      }
      await expect(channel.getCometClient(token)).rejects.toMatchObject(missing)
    }
  })

  test('know nobody who was stopped or removed', async () => {
    const { channel } = await openSite()
    const [ann, bob] = [
      await channel.initializeClient({ publicToken: 'ann' }),
      await channel.initializeClient({ publicToken: 'bob' }),
    ]
    await channel.stopClient('ann')
    await channel.killIdleCometClient(bob.privateToken)
    for (const { privateToken } of [ann, bob]) {
      await expect(channel.getCometClient(privateToken)).rejects.toMatchObject({
        code: 'COMET_CLIENT_DOES_NOT_EXIST',
      })
    }
    for await (const listed of channel.getClients()) throw new Error(`${listed.publicToken} is still there`)
  })
})

describe('stopClient', () => {
  test('ends a client for good: its page is told, and its token is dead', async () => {
    const { channel, newClient, url, holds } = await openSite()
    const { privateToken, publicToken } = await newClient()
    const held = poll(url, privateToken)
    await holds(1)
    expect(await channel.stopClient(publicToken)).toBe(1)
    for (const answer of [await held, await glance(url, privateToken)]) {
      expect([answer.status, answer.messages[0]?.code]).toEqual([403, 'COMET_CLIENT_IS_STOPPED'])
    }
    await expect(channel.initializeClient({ publicToken, privateToken })).rejects.toMatchObject({
      code: 'COMET_CLIENT_ALREADY_EXISTS',
    })
    await channel.initializeClient({ publicToken })
  })

  test('says so when there was nobody to stop', async () => {
    const { channel, newClient } = await openSite()
    const { publicToken } = await newClient()
    expect(await channel.stopClient('nobody')).toBe(0)
    expect(await channel.stopClient(publicToken)).toBe(1)
    expect(await channel.stopClient(publicToken)).toBe(0)
  })

  test('Row 45: held requests of its token are answered at once', async () => {
    const { channel, newClient, url, holds } = await openSite()
    const { privateToken, publicToken } = await newClient({ connectionTimeoutSeconds: 3600 })
    const held = poll(url, privateToken)
    await holds(1)
    await channel.stopClient(publicToken)
    expect((await held).status).toBe(403)
    expect(channel.stats().heldRequests).toBe(0)
  })
})

describe('killIdleCometClient', () => {
  test('removes a client as if it had been idle: its page may initialise anew', async () => {
    const { channel, newClient, url, holds } = await openSite()
    const { privateToken, publicToken } = await newClient()
    const held = poll(url, privateToken)
    await holds(1)
    await channel.killIdleCometClient(privateToken)
    for (const answer of [await held, await glance(url, privateToken)]) {
      expect([answer.status, answer.messages[0]?.code]).toEqual([401, 'COMET_TOKEN_IS_UNKNOWN'])
    }
    await channel.initializeClient({ publicToken, privateToken })
    await expect(channel.killIdleCometClient('nobody')).rejects.toMatchObject({
      code: 'COMET_CLIENT_DOES_NOT_EXIST',
    })
  })

  test('twice at once ends it once', async () => {
    const { channel, newClient } = await openSite()
    const { privateToken } = await newClient()
    const told: unknown[] = []
    channel.on('clientDisconnected', (client) => told.push(client))
    const settled = await Promise.allSettled([1, 2].map(() => channel.killIdleCometClient(privateToken)))
    expect(settled.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    await new Promise(setImmediate)
    expect(told).toHaveLength(1)
  })
})
