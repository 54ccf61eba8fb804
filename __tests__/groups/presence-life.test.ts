import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { fakeTime, passSeconds, realTime } from '../support/fake-time.ts'
import { glance } from '../support/page.ts'
import { post } from '../support/post.ts'
import { closeSites, openSite, type Site } from '../support/site.ts'
import { openNodes } from '../support/two-nodes.ts'

beforeEach(fakeTime)
afterEach(async () => {
  realTime()
  await closeSites()
})

const PRESENCE = { options: { presence: true } }

/** Ann looks on, and bob's page is in the room with her. */
async function room(site: Site) {
  const ann = await site.newClient({ publicToken: 'ann', groups: ['room'], connectionIdleSeconds: 1000 })
  const bob = await site.newClient({ publicToken: 'bob', groups: ['room'] })
  const ask = (url: string, page: string) =>
    glance(url, bob.privateToken, { headers: { 'Comet-Page': page } })
  await ask(site.url, 'page-1;new')
  const goodbye = (url: string, page: string) =>
    fetch(`${url}/goodbye`, {
      method: 'POST',
      body: new URLSearchParams({ privateToken: bob.privateToken, page }),
    })
  const { cursor } = await glance(site.url, ann.privateToken)
  /** What ann is told of bob. */
  const told = async (url = site.url) => {
    const { messages } = await glance(url, ann.privateToken, { cursor: cursor! })
    return messages.map(({ n }) => n).filter((n) => n !== 'aspNetComet.timeout')
  }
  return { bob, ask, goodbye, told }
}

describe('Members of a group see one leave it', () => {
  test('within seconds when its page is closed', async () => {
    const site = await openSite(PRESENCE)
    const { goodbye, told } = await room(site)
    await goodbye(site.url, 'page-1')
    await passSeconds(4)
    expect(await told()).toEqual([])
    await passSeconds(7)
    expect(await told()).toEqual(['aspNetComet.leave'])
  })

  test('when the idle time of a lost one is over, and not before', async () => {
    const site = await openSite(PRESENCE)
    const { told } = await room(site)
    await passSeconds(89)
    expect(await told()).toEqual([])
    await passSeconds(42)
    expect(await told()).toEqual(['aspNetComet.leave'])
  })
})

test('Who has sent something before the first subscription is served as others are, and has not resumed', async () => {
  const site = await openSite(PRESENCE)
  const { privateToken, start } = await site.newClient()
  site.channel.onMessage('Ping', () => 'pong')
  const told: string[] = []
  site.channel.on('clientResumed', () => told.push('resumed'))
  await post(`${site.url}/send`, privateToken, { n: 'Ping' })
  await passSeconds(6)
  const cursor = `${start.epoch}:${start.messageId}`
  const { messages } = await glance(site.url, privateToken, { cursor, headers: { 'Comet-Page': 'page-1' } })
  await new Promise(setImmediate)
  expect([messages.map(({ n }) => n), told]).toEqual([['aspNetComet.timeout'], []])
})

describe('Members of a group see nothing of one', () => {
  test('that is loaded anew: its page says goodbye, and comes back', async () => {
    const site = await openSite(PRESENCE)
    const { ask, goodbye, told } = await room(site)
    await goodbye(site.url, 'page-1')
    await passSeconds(3)
    await ask(site.url, 'page-2;new')
    await passSeconds(60)
    expect(await told()).toEqual([])
  })

  test('that drops out for less than its idle time, and comes back on another node', async () => {
    const [one, two] = await openNodes(2, PRESENCE.options)
    const { ask, told } = await room(one!)
    for (const { url } of [two!, one!, two!]) {
      await passSeconds(80)
      await ask(url, 'page-1')
    }
    expect(await told(one!.url)).toEqual([])
    expect(await told(two!.url)).toEqual([])
  })

  test('that only sends: that is a sign of life too', async () => {
    const [one, two] = await openNodes(2, PRESENCE.options)
    const { bob, told } = await room(one!)
    two!.channel.onMessage('Ping', () => 'pong')
    for (let times = 0; times < 10; times++) {
      await passSeconds(80)
      expect((await post(`${two!.url}/send`, bob.privateToken, { n: 'Ping' })).status).toBe(200)
    }
    expect(await told()).toEqual([])
  })
})
