import { afterEach, describe, expect, test } from '@jest/globals'
import { CometStateManager } from 'koa-comet'
import { InProcCometStateProvider } from 'koa-comet/providers/in-proc'
import { GatedProvider } from '../support/gated-provider.ts'
import { glance } from '../support/page.ts'
import { ProviderWrapper } from '../support/provider-wrapper.ts'
import { closeSites, openSite } from '../support/site.ts'

afterEach(closeSites)

function gated(): { gate: GatedProvider; channel: CometStateManager } {
  const gate = new GatedProvider(new InProcCometStateProvider())
  return { gate, channel: new CometStateManager(gate, { providerTimeoutSeconds: 1 }) }
}

async function openClosedNode() {
  const gate = new GatedProvider(new InProcCometStateProvider())
  return { gate, ...(await openSite({ provider: gate })) }
}

describe('Opening', () => {
  test('happens at first use, and once', async () => {
    let opened = 0
    class Counting extends ProviderWrapper {
      override open(...details: Parameters<ProviderWrapper['open']>): Promise<void> {
        opened += 1
        return super.open(...details)
      }
    }
    const channel = new CometStateManager(new Counting(new InProcCometStateProvider()))
    await new Promise(setImmediate)
    expect(opened).toBe(0)
    await Promise.all([
      channel.sendMessage('M', 1),
      channel.open(),
      channel.initializeClient({ publicToken: 'ann' }),
      channel.open(),
    ])
    expect(opened).toBe(1)
    await channel.close()
  })

  test('that fails is reported by open(), and tried again by the next use', async () => {
    const { gate, channel } = gated()
    gate.failNext('open', { times: 2, error: new Error('no such host') })
    const failed = { code: 'COMET_PROVIDER_IS_UNAVAILABLE', cause: new Error('no such host') }
    await expect(channel.open()).rejects.toMatchObject(failed)
    await expect(channel.sendMessage('M', 1)).rejects.toMatchObject(failed)
    expect(await channel.sendMessage('M', 1)).toBeGreaterThan(0)
    await channel.close()
  })

  test('that fails is told to pages as 503, and they go on when it is tried again', async () => {
    const { gate, channel, url } = await openClosedNode()
    gate.failNext('open')
    expect((await glance(url, 'a-token-of-nobody-at-all')).status).toBe(503)
    expect((await glance(url, 'a-token-of-nobody-at-all')).status).toBe(401)
    expect(channel.stats().epoch).not.toBe('')
  })

  test('that fails after it told of a log leaves the channel as it was: not open', async () => {
    class Failing extends ProviderWrapper {
      override async open(...details: Parameters<ProviderWrapper['open']>): Promise<void> {
        await super.open(...details)
        throw new Error('after the reset')
      }
    }
    const channel = new CometStateManager(new Failing(new InProcCometStateProvider()))
    await expect(channel.open()).rejects.toThrow('after the reset')
    expect(() => channel.cursor()).toThrow(expect.objectContaining({ code: 'COMET_CHANNEL_IS_NOT_OPEN' }))
    await channel.close()
  })

  test('Row 19: that hangs is given up at the deadline', async () => {
    const gate = new GatedProvider(new InProcCometStateProvider())
    const channel = new CometStateManager(gate, { providerTimeoutSeconds: 0.05 })
    const letGo = gate.hangNext('open')
    await expect(channel.open()).rejects.toMatchObject({ code: 'COMET_PROVIDER_IS_UNAVAILABLE' })
    letGo()
    await channel.open()
    await channel.close()
  })

  test('that comes about after it was given up feeds the node nothing beside the next one', async () => {
    let letGo = (): void => undefined
    class Late extends ProviderWrapper {
      #isFirst = true
      override async open(...details: Parameters<ProviderWrapper['open']>): Promise<void> {
        if (!this.#isFirst) return super.open(...details)
        this.#isFirst = false
        await new Promise<void>((resolve) => (letGo = resolve))
        details[1].reset({ epoch: 'late', entries: [], head: 7, trimmedThrough: 7 })
      }
    }
    const provider = new Late(new InProcCometStateProvider())
    const channel = new CometStateManager(provider, { providerTimeoutSeconds: 0.05 })
    await expect(channel.open()).rejects.toMatchObject({ code: 'COMET_PROVIDER_IS_UNAVAILABLE' })
    await channel.open()
    const { epoch } = channel.stats()
    letGo()
    await new Promise(setImmediate)
    expect([channel.stats().epoch, epoch]).toEqual([epoch, expect.not.stringMatching('late')])
    await channel.close()
  })
})
