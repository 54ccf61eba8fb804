import { afterEach, describe, expect, test } from '@jest/globals'
import type { TransportName } from 'koa-comet'
import { CometChannel } from 'koa-comet/client'
import { SeededRandom } from '../../providers/contract/seeded-random.ts'
import { eventually } from '../support/eventually.ts'
import { countTo } from '../support/raw-page.ts'
import { closeSites, openSite } from '../support/site.ts'

const channels: CometChannel[] = []

afterEach(async () => {
  for (const channel of channels.splice(0)) channel.unsubscribe()
  await closeSites()
})

/** A page with the browser client, and what its handler was given. */
function openPage(
  url: string,
  privateToken: string,
  transports: readonly TransportName[],
  fetch?: typeof globalThis.fetch,
): { page: CometChannel; got: unknown[]; resets: unknown[] } {
  const page = new CometChannel(url, privateToken, 'default', { storage: null, transports, fetch })
  const [got, resets]: [unknown[], unknown[]] = [[], []]
  page.on('M', (contents) => got.push(contents))
  page.addEventListener('reset', ({ detail }) => resets.push(detail))
  page.subscribe()
  channels.push(page)
  return { page, got, resets }
}

/** What a network does to what passes. */
interface Network {
  /** Each request reaches the server twice, and one of its answers the page. */
  readonly repeats?: boolean
  /** Whether the connection breaks instead of giving the next piece of an answer: asked at each. */
  loses?(): boolean
}

/** A network on which the server does what it is asked, and the page does not hear of all of it. */
function network({ repeats = false, loses = () => false }: Network): {
  fetch: typeof globalThis.fetch
  hits(): number
} {
  let hits = 0
  return {
    hits: () => hits,
    async fetch(input, init) {
      if (repeats) {
        hits += 1
        await begin(await fetch(input, init))
      }
      const response = await fetch(input, init)
      const losing = new TransformStream<Uint8Array, Uint8Array>({
        transform(piece, way) {
          if (!loses()) return way.enqueue(piece)
          hits += 1
          way.error(new TypeError('the connection was lost'))
        },
      })
      return new Response(response.body!.pipeThrough(losing), response)
    },
  }
}

/** Reads the beginning of an answer, all of a poll's, and lets go of what follows. */
async function begin({ body }: Response): Promise<void> {
  const reader = body!.getReader()
  await reader.read()
  await reader.cancel()
}

const TRANSPORTS: readonly (readonly TransportName[])[] = [['long-polling'], ['streaming']]

describe.each(TRANSPORTS.map((transports) => ({ transports })))(
  'Promise 3: by $transports, handlers see each message once',
  ({ transports }) => {
    test('on a network that does nothing', async () => {
      const { channel, newClient, url } = await openSite()
      const { privateToken } = await newClient()
      const { got } = openPage(url, privateToken, transports)
      for (const index of countTo(200)) await channel.sendMessage('M', index)
      await eventually(() => got.at(-1) === 200)
      expect(got).toEqual(countTo(200))
    })

    test('Row 2: though answers are lost after the server gave them', async () => {
      const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31)
      const random = new SeededRandom(seed)
      const { channel, newClient, url } = await openSite()
      const { privateToken } = await newClient()
      // Few in a row: each failure makes the page wait longer.
      let calm = 0
      const { fetch, hits } = network({
        loses() {
          calm -= 1
          if (calm > 0 || !random.chance(30)) return false
          calm = 3
          return true
        },
      })
      const { got, resets } = openPage(url, privateToken, transports, fetch)
      let sent = 0
      while (hits() < 5) {
        sent += 1
        await channel.sendMessage('M', sent)
        await eventually(() => sent - got.length < 100)
        for (let turn = 0; turn < random.below(40); turn++) await new Promise(setImmediate)
      }
      await channel.sendMessage('M', sent + 1)
      await eventually(() => got.at(-1) === sent + 1)
      process.stdout.write(
        `lost answers: seed ${seed}, ${hits()} lost of which the page heard nothing, ${sent + 1} sent\n`,
      )
      expect([got, resets]).toEqual([countTo(sent + 1), []])
    }, 60_000)

    test('Row 37: though something on the way repeats each request', async () => {
      const { channel, newClient, url } = await openSite()
      const { privateToken } = await newClient()
      let pieces = 0
      const { fetch, hits } = network({
        repeats: true,
        // So that a stream is asked for more than once as well.
        loses() {
          pieces += 1
          return pieces % 20 === 0
        },
      })
      const { got, resets } = openPage(url, privateToken, transports, fetch)
      for (const index of countTo(30)) {
        await channel.sendMessage('M', index)
        await eventually(() => got.length === index)
      }
      await channel.sendMessage('M', 31)
      await eventually(() => got.at(-1) === 31)
      expect(hits()).toBeGreaterThan(1)
      expect([got, resets]).toEqual([countTo(31), []])
    })

    test('Row 52: though a handler throws: the others get it, and all go on', async () => {
      const { channel, newClient, url } = await openSite()
      const { privateToken } = await newClient()
      const { page, got } = openPage(url, privateToken, transports)
      const errors: unknown[] = []
      page.on('M', () => {
        throw new Error('in a handler')
      })
      page.addEventListener('error', (event) => {
        event.preventDefault()
        errors.push(event.detail.code)
      })
      for (const index of countTo(3)) await channel.sendMessage('M', index)
      await eventually(() => got.length === 3)
      expect([got, errors]).toEqual([countTo(3), Array(3).fill('COMET_HANDLER_FAILED')])
      expect(page.state).toBe('connected')
    })
  },
)
