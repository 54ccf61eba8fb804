import { connect } from 'node:net'
import { afterEach, describe, expect, test } from '@jest/globals'
import type { InitializedCometClient, LeaseOutcome } from 'koa-comet'
import { InProcCometStateProvider } from 'koa-comet/providers/in-proc'
import { SeededRandom } from '../../providers/contract/seeded-random.ts'
import { eventually } from '../support/eventually.ts'
import type { Asking, Told } from '../support/exchange.ts'
import { glance } from '../support/page.ts'
import { countTo } from '../support/raw-page.ts'
import { closeSites, openSite } from '../support/site.ts'
import { askThrough, POINTS } from '../support/subscribe-points.ts'
import { TestPage } from '../support/test-page.ts'
import { overEachTransport } from '../support/transports.ts'
import { openNode } from '../support/two-nodes.ts'

afterEach(closeSites)

function endingOf({ status, outcome, messages }: Told): string {
  const [first] = messages
  if (first?.code) return `${status} ${first.code}`
  return outcome === 'reset' ? 'reset' : (first?.n ?? 'nothing at all')
}

overEachTransport((way) => {
  test('Promise 10: of 500 held requests with random endings, each ends, and as it was ended', async () => {
    const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31)
    const random = new SeededRandom(seed)
    const node = await openNode()
    const counts = new Map<string, number>()
    const expected = new Map<string, number>()
    const ends: Record<
      string,
      (client: InitializedCometClient, abort: () => Promise<unknown>) => Promise<unknown> | undefined
    > = {
      M: ({ publicToken }) => node.channel.sendMessage('M', 1, { to: publicToken }),
      'aspNetComet.replaced': ({ privateToken }) => way.glance(node.url, privateToken),
      '403 COMET_CLIENT_IS_STOPPED': ({ publicToken }) => node.channel.stopClient(publicToken),
      '401 COMET_TOKEN_IS_UNKNOWN': ({ privateToken }) => node.channel.killIdleCometClient(privateToken),
      aborted: (_, abort) => abort(),
      'aspNetComet.timeout': () => undefined,
      reset: () => undefined,
    }
    const count = (map: Map<string, number>, key: string): unknown => map.set(key, (map.get(key) ?? 0) + 1)
    const held: Promise<unknown>[] = []
    const holdOne = async (
      ending: string,
      asking: Asking = {},
    ): Promise<[InitializedCometClient, () => Promise<unknown>, Promise<void>]> => {
      const client = await node.newClient({ connectionTimeoutSeconds: 3600 })
      const subscribed = new Promise<void>((resolve) => {
        const off = node.channel.on('clientSubscribed', ({ publicToken }) => {
          if (publicToken !== client.publicToken) return
          off()
          resolve()
        })
      })
      const exchange = way.transport.open(node.url, client.privateToken, asking)
      held.push(
        exchange.next().then(
          async (told) => {
            count(counts, endingOf(told))
            await exchange.drop()
          },
          () => count(counts, 'aborted'),
        ),
      )
      count(expected, ending)
      return [client, () => exchange.drop(), subscribed]
    }
    const endings = Object.keys(ends).filter((ending) => ending !== 'reset')
    for (const _ of countTo(300)) {
      const ending = random.pick(endings)
      const asking = ending === 'aspNetComet.timeout' ? { waitSeconds: 1 } : {}
      const [client, abort, subscribed] = await holdOne(ending, asking)
      // Some are ended before they have come. To be replaced, one has to be there.
      if (ending === 'aspNetComet.replaced' || random.chance(50)) await subscribed
      await ends[ending]!(client, abort)
    }
    await Promise.all(held)
    for (const _ of countTo(100)) await holdOne('reset')
    await eventually(() => node.channel.stats().heldRequests === 100)
    node.gate.loseLog()
    await eventually(() => node.channel.stats().heldRequests === 0)
    for (const _ of countTo(100)) await holdOne('aspNetComet.timeout')
    await eventually(() => node.channel.stats().heldRequests === 100)
    await node.channel.close({ overSeconds: 0 })
    await Promise.all(held)
    process.stdout.write(`random endings: seed ${seed}, ${JSON.stringify(Object.fromEntries(counts))}\n`)
    expect(held).toHaveLength(500)
    expect(node.channel.stats().heldRequests).toBe(0)
    const total = [...counts.values()].reduce((sum, each) => sum + each, 0)
    expect(total).toBe(500)
    for (const certain of ['M', 'reset', 'aspNetComet.timeout', 'aborted'])
      expect(counts.get(certain)).toBe(expected.get(certain))
    expect([...counts.keys()].filter((key) => !(key in ends))).toEqual([])
  }, 60_000)

  describe('Promise 10: a request is answered', () => {
    test.each(POINTS)(
      'and Row 9: 401 when its client is removed %s, and is never held for a dead one',
      async (point) => {
        const { answer, site } = await askThrough(way, point, ({ channel }, { privateToken }) =>
          channel.killIdleCometClient(privateToken),
        )
        expect(endingOf(await answer)).toBe('401 COMET_TOKEN_IS_UNKNOWN')
        expect(site.channel.stats().heldRequests).toBe(0)
      },
    )

    test.each(POINTS)('403 when its client is stopped %s', async (point) => {
      const { answer, site } = await askThrough(way, point, ({ channel }, { publicToken }) =>
        channel.stopClient(publicToken),
      )
      expect(endingOf(await answer)).toBe('403 COMET_CLIENT_IS_STOPPED')
      expect(site.channel.stats().heldRequests).toBe(0)
    })

    test.each(POINTS)('when the channel is closed %s, and its page goes elsewhere', async (point) => {
      const { answer, site } = await askThrough(way, point, async ({ channel }) => void channel.close())
      const { status, isSentAway } = await answer
      expect([200, 503]).toContain(status)
      expect(isSentAway).toBe(true)
      expect(site.channel.stats().heldRequests).toBe(0)
    })

    test.each(POINTS.filter((point) => point !== 'before the request'))(
      'when a newer one of its page comes %s: one is, the other held',
      async (point) => {
        let newer: Promise<Told> | undefined
        const { answer, site } = await askThrough(way, point, async ({ url }, { privateToken }) => {
          newer = way.poll(url, privateToken)
          for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
        })
        await site.holds(1)
        await site.channel.sendMessage('M', 1)
        const endings = [endingOf(await answer), endingOf(await newer!)]
        expect(endings).toContain('M')
        expect(endings.every((ending) => ['M', 'aspNetComet.replaced', 'reset'].includes(ending))).toBe(true)
        await site.holds(0)
      },
    )
  })

  test('Field row 3: an old half-open connection that ends after a newer request has come ends nothing else', async () => {
    const { channel, newClient, port, url, holds } = await openNode()
    const page = new TestPage(way.transport, await newClient())
    await page.glance(url)
    for (const round of countTo(3)) {
      await holds(0)
      const halfOpen = connect(port, '127.0.0.1')
      const head = [
        `Authorization: Bearer ${page.privateToken}`,
        'Comet-Page: page',
        `Last-Event-ID: ${page.cursor}`,
        `Accept: ${way.transport.accept}`,
      ]
      halfOpen.write(['GET /comet HTTP/1.1', `Host: 127.0.0.1:${port}`, ...head, '', ''].join('\r\n'))
      await holds(1)
      const replaced = new Promise((resolve) => channel.on('clientSubscribed', resolve))
      const newer = page.next(url)
      await replaced
      await holds(1)
      halfOpen.resetAndDestroy()
      for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
      expect(channel.stats().heldRequests).toBe(1)
      await channel.sendMessage('M', round)
      await newer
      await page.drop()
    }
    expect([page.contents, page.resets]).toEqual([[1, 2, 3], []])
  })

  test('Field row 4 and Row 5: of two overlapping requests the older ends at once, and nothing is lost', async () => {
    const { channel, newClient, url, holds } = await openNode()
    const page = new TestPage(way.transport, await newClient())
    for (const round of countTo(20)) {
      const older = page.next(url)
      await holds(1)
      const newer = page.next(url)
      expect((await older).messages).toMatchObject([{ n: 'aspNetComet.replaced', c: 'own' }])
      await channel.sendMessage('M', round)
      expect(endingOf(await newer)).toBe('M')
    }
    expect([page.contents, page.resets]).toEqual([countTo(20), []])
  })

  test.each([
    ['gives too few outcomes of renewals', () => []],
    ['says of a client that it knows it, and that it is gone', () => ['gone' as const]],
  ])('Promise 10: with 503, if the provider %s', async (_, outcomes) => {
    class Confused extends InProcCometStateProvider {
      override async renewLeases(): Promise<LeaseOutcome[]> {
        return outcomes()
      }
    }
    const { newClient, url } = await openSite({ provider: new Confused() })
    const { privateToken } = await newClient()
    const { status, messages } = await glance(url, privateToken)
    expect([status, messages[0]?.code]).toEqual([503, 'COMET_PROVIDER_IS_UNAVAILABLE'])
  })
})
