import { afterEach, describe, expect, jest, test } from '@jest/globals'
import { CometStateManager } from 'koa-comet'
import { InProcCometStateProvider } from 'koa-comet/providers/in-proc'
import { glance } from '../support/page.ts'
import { closeSites, openSite } from '../support/site.ts'

afterEach(closeSites)

describe('A mistake of the app is told at once', () => {
  test('one provider for two open channels: the second one does not open, and the first goes on', async () => {
    const provider = new InProcCometStateProvider()
    const first = new CometStateManager(provider, { name: 'first' })
    const second = new CometStateManager(provider, { name: 'second' })
    await first.open()
    await expect(second.open()).rejects.toThrow(/'second' serves another channel/)
    expect(await first.sendMessage('M', 1)).toBe(first.cursor().messageId)
    await first.close()
    await second.open()
    await second.close()
  })

  test('a provider that failed to open can be opened by another channel', async () => {
    class Failing extends InProcCometStateProvider {
      failures = 1
      override open(...details: Parameters<InProcCometStateProvider['open']>): Promise<void> {
        if (this.failures-- > 0) return Promise.reject(new Error('not now'))
        return super.open(...details)
      }
    }
    const provider = new Failing()
    await expect(new CometStateManager(provider).open()).rejects.toThrow('not now')
    const channel = new CometStateManager(provider)
    await channel.open()
    await channel.close()
  })

  test('a client that is none where a token is wanted', async () => {
    const { channel } = await openSite()
    const client = { publicToken: 'ann' } as unknown as string
    await expect(channel.stopClient(client)).rejects.toThrow(TypeError)
    await expect(channel.getCometClient(undefined as unknown as string)).rejects.toThrow(TypeError)
    await expect(channel.killIdleCometClient(client)).rejects.toThrow(TypeError)
    await expect(channel.initializeClient('ann' as never)).rejects.toThrow(/takes one object.*not "ann"/)
  })

  test('a token that is no text in UTF-8 is nobody’s, and the store is not asked', async () => {
    const provider = new InProcCometStateProvider()
    const { channel } = await openSite({ provider })
    await channel.open()
    const append = jest.spyOn(provider, 'append')
    for (const call of [
      channel.joinGroup('\ud800', 'room'),
      channel.leaveGroup('a\udfff', 'room'),
      channel.updateClient('\ud800', { displayName: 'Ann' }),
    ]) {
      await expect(call).rejects.toMatchObject({ code: 'COMET_CLIENT_DOES_NOT_EXIST' })
    }
    expect(append).not.toHaveBeenCalled()
  })

  test('an event that does not exist, and a listener that is no function', async () => {
    const { channel } = await openSite()
    expect(() => channel.on('clientSubscribd' as 'error', () => {})).toThrow(/No event 'clientSubscribd'/)
    expect(() => channel.on('error', undefined as never)).toThrow(/must be a function, not undefined/)
  })

  test('a receiver that does not exist is named, and so is the message', async () => {
    const { channel } = await openSite()
    await expect(channel.sendMessage('Time', 1, { to: 'bob' })).rejects.toMatchObject({
      code: 'COMET_CLIENT_DOES_NOT_EXIST',
      message: 'The message "Time" was not sent: no client has the public token "bob".',
    })
  })

  test('a private token where a public one is wanted is in no text: Koa shows it to whoever asked', async () => {
    const { channel, newClient } = await openSite()
    const client = await newClient()
    const { privateToken } = client
    const mistakes = [
      () => channel.sendMessage('M', 1, { to: privateToken }),
      () => channel.sendMessage('M', 1, { to: client as never }),
      () => channel.sendMessage('M', 1, { except: [client as never] }),
      () => channel.stopClient(client as never),
      () => channel.getCometClient(client as never),
    ]
    for (const mistake of mistakes) {
      const error = await mistake().then(
        () => undefined,
        (error: Error) => error,
      )
      expect([error?.message, error?.stack?.includes(privateToken)]).toEqual([expect.any(String), false])
    }
  })

  test('contents that were not awaited, which would be sent as {}', async () => {
    const { channel } = await openSite()
    await expect(channel.sendMessage('M', Promise.resolve(1))).rejects.toThrow(/await it first/)
  })

  test('options of close() that are none, and options of a channel that are no object', async () => {
    const { channel } = await openSite()
    expect(() => channel.close({ over: 1 } as never)).toThrow(/overSeconds alone/)
    expect(() => channel.close(3 as never)).toThrow(/overSeconds alone/)
    const provider = new InProcCometStateProvider()
    for (const options of [null, 'x', 7]) {
      expect(() => new CometStateManager(provider, options as never)).toThrow(/options must be an object/)
    }
    expect(() => new CometStateManager({ append() {} } as never)).toThrow(/takes a state provider first/)
  })

  test('identify that gives a number is told to the app as an error, and to the page as a failure of the server', async () => {
    const site = await openSite({ options: { identify: () => 7 as never, register: () => ({}) } })
    expect((await fetch(`${site.url}/register`, { method: 'POST' })).status).toBe(500)
    expect(String(site.errors[0])).toMatch(/identify must give a text.*not number/)
  })

  test('a slash behind the path of the channel is no mistake', async () => {
    const { url, newClient } = await openSite()
    const { privateToken } = await newClient()
    expect((await glance(`${url}/`, privateToken)).status).toBe(200)
  })
})
