import { afterEach, expect, test } from '@jest/globals'
import { closeSites, openSite, type Site } from '../support/site.ts'

afterEach(closeSites)

interface OldMessage {
  readonly mid: number
  readonly n: string
  readonly c: unknown
}

async function ask(site: Site, privateToken: string, lastMessageId: number): Promise<OldMessage[]> {
  const body = new URLSearchParams({ privateToken, lastMessageId: String(lastMessageId) })
  const response = await fetch(site.url, { method: 'POST', body })
  return (await response.json()) as OldMessage[]
}

/** A page that waits, and whose request another tab of its client has replaced: it is held on for a moment. */
async function openReplaced() {
  const site = await openSite()
  const { privateToken, publicToken } = await site.newClient({ groups: ['room'] })
  const first = await site.channel.sendMessage('Old')
  const replaced = ask(site, privateToken, first)
  await site.holds(1)
  // It has seen less, and is answered at once.
  expect(await ask(site, privateToken, first - 1)).toMatchObject([{ n: 'Old' }])
  await site.holds(1)
  return { site, publicToken, replaced }
}

test.each(['everybody', 'its client', 'its group'])(
  'A replaced request is told at once what is sent to %s',
  async (whom) => {
    const { site, publicToken, replaced } = await openReplaced()
    const audience = { everybody: {}, 'its client': { to: publicToken }, 'its group': { group: 'room' } }[
      whom
    ]
    const mid = await site.channel.sendMessage('New', 1, audience)
    expect(await replaced).toEqual([{ mid, n: 'New', c: 1 }])
  },
)

test('A replaced request is told at once that its client was stopped', async () => {
  const { site, publicToken, replaced } = await openReplaced()
  await site.channel.stopClient(publicToken)
  expect(await replaced).toMatchObject([{ n: 'aspNetComet.error', c: expect.stringContaining('stopped') }])
})
