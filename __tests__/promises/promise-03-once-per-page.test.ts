import { afterEach, describe, expect, test } from '@jest/globals'
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
  fetch?: typeof globalThis.fetch,
): { page: CometChannel; got: unknown[]; resets: unknown[] } {
  const page = new CometChannel(url, privateToken, 'default', { storage: null, fetch })
  const [got, resets]: [unknown[], unknown[]] = [[], []]
  page.on('M', (contents) => got.push(contents))
  page.addEventListener('reset', ({ detail }) => resets.push(detail))
  page.subscribe()
  channels.push(page)
  return { page, got, resets }
}

/** How an answer can be lost, or come again, though the server has given it. */
type Fate = 'arrives' | 'is lost' | 'comes twice'

/** A network on which the server does what it is asked, and its answer suffers the next fate. */
function network(nextFate: () => Fate): { fetch: typeof globalThis.fetch; hits(): number } {
  let hits = 0
  return {
    hits: () => hits,
    async fetch(input, init) {
      const fate = nextFate()
      if (fate === 'comes twice') {
        hits += 1
        await (await fetch(input, init)).text()
      }
      const response = await fetch(input, init)
      if (fate !== 'is lost') return response
      hits += 1
      await response.text()
      throw new TypeError('the answer was lost')
    },
  }
}

describe('Promise 3: handlers see each message once', () => {
  test('on a network that does nothing', async () => {
    const { channel, newClient, url } = await openSite()
    const { privateToken } = await newClient()
    const { got } = openPage(url, privateToken)
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
    const { fetch, hits } = network(() => {
      calm -= 1
      if (calm > 0 || !random.chance(30)) return 'arrives'
      calm = 3
      return 'is lost'
    })
    const { got, resets } = openPage(url, privateToken, fetch)
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
    const { fetch, hits } = network(() => 'comes twice')
    const { got, resets } = openPage(url, privateToken, fetch)
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
    const { page, got } = openPage(url, privateToken)
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
})
