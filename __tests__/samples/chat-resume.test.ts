import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from '@jest/globals'
import type { Browser, Route } from 'playwright-core'
import { launchChromium, testInChromium } from '../support/chromium.ts'
import { type CuttableLink, linkTo } from '../support/cuttable-link.ts'
import { ChatWindow } from './chat-window.ts'
import { KeptPages } from './kept-pages.ts'
import { type RunningChat, runChat } from './running-chat.ts'

describe('a window of the chat that was away', () => {
  let browser: Browser
  let pages: KeptPages
  let chat: RunningChat
  /** Ann's way to the chat. Bob's is direct. */
  let link: CuttableLink
  let ann: ChatWindow
  let bob: ChatWindow
  const left: string[] = []

  beforeAll(async () => {
    browser = await launchChromium()
    pages = new KeptPages(browser)
  })
  beforeEach(async () => {
    chat = await runChat()
    left.length = 0
    chat.channel.on('clientDisconnected', ({ displayName }) => left.push(displayName))
    link = await linkTo(chat.port)
    ann = await ChatWindow.enter(await pages.openNew(), link.origin, 'Ann')
    bob = await ChatWindow.enter(await pages.open(), chat.origin, 'Bob')
  })
  afterEach(async () => {
    await pages.leave()
    await link.close()
    await chat.close()
  })
  afterAll(() => browser?.close())

  testInChromium('resumes when the network is back: everything comes once and in order', async () => {
    await bob.say('before')
    await ann.shows('before')

    link.cut()
    await ann.state('Reconnecting')
    for (const text of ['one', 'two', 'three']) await bob.say(text)
    await bob.shows('three')
    link.mend()
    await ann.connected()
    await bob.say('after')
    await ann.shows('after')

    const all = ['before', 'one', 'two', 'three', 'after']
    expect(await ann.texts()).toEqual(all)
    expect(await bob.texts()).toEqual(all)
    expect(await ann.page.locator('.note').count()).toBe(0)
    expect(left).toEqual([])
  })

  testInChromium('says on a phone that it is away, and moves nothing for that', async () => {
    await ann.page.setViewportSize({ width: 360, height: 640 })
    const places = () => Promise.all(['#logout', '#messages'].map((id) => ann.page.locator(id).boundingBox()))
    const before = await places()
    link.cut()
    await ann.state('Reconnecting')
    expect(await places()).toEqual(before)
    const isWhole = await ann.page
      .locator('#status')
      .evaluate((status) => status.scrollWidth <= status.clientWidth)
    expect(isWhole).toBe(true)
    const [logOut] = await places()
    expect(logOut!.x + logOut!.width).toBeLessThanOrEqual(360 - 12)
  })

  testInChromium(
    'sends by itself what was written meanwhile, and what was in doubt: once and in order',
    async () => {
      const code = 'COMET_OUTCOME_IS_UNKNOWN'
      const json = [{ mid: 0, n: 'aspNetComet.error', c: 'Nobody knows.', code }]
      await ann.page.route('**/comet/send', (route) => route.fulfill({ status: 409, json }), { times: 2 })
      await ann.say('in doubt')
      await ann.waiting().getByText('Perhaps not sent').waitFor()
      link.cut()
      await ann.state('Reconnecting')
      await ann.say('from the tunnel')
      await ann.page.getByText('Not sent yet: 2 messages').waitFor()
      await ann.say('still in it')
      await ann.page.getByText('Not sent yet: 3 messages').waitFor()
      link.mend()
      await bob.shows('in doubt')
      await ann.page.locator('#unsent').waitFor({ state: 'hidden' })
      await ann.say('out of it')
      await ann.shows('out of it')
      await bob.shows('out of it')

      const all = ['from the tunnel', 'still in it', 'in doubt', 'out of it']
      expect(await ann.texts()).toEqual(all)
      expect(await bob.texts()).toEqual(all)
    },
  )

  testInChromium('sends a message once even if the answer to it was lost', async () => {
    let attempts = 0
    // The server gets the request; the page never hears of it.
    await ann.page.route('**/comet/send', async (route: Route) => {
      const answer = await route.fetch()
      attempts += 1
      await (attempts === 1 ? route.abort() : route.fulfill({ response: answer }))
    })
    await ann.say('once')
    await bob.shows('once')
    await ann.say('after')
    await ann.shows('after')
    await bob.shows('after')
    expect(attempts).toBeGreaterThan(2)
    expect(await ann.texts()).toEqual(['once', 'after'])
    expect(await bob.texts()).toEqual(['once', 'after'])
  })

  testInChromium('has left the room some seconds after its tab was closed', async () => {
    await bob.peopleAre('Ann', 'Bob (you)')
    await ann.page.close({ runBeforeUnload: true })
    await bob.peopleAre('Bob (you)')
    expect(left).toEqual(['Ann'])
  })

  testInChromium('is still logged in after a reload, and has missed nothing', async () => {
    await bob.say('before')
    await ann.shows('before')
    await ann.page.goto('about:blank')
    await bob.say('while away')
    await bob.shows('while away')
    await ann.page.goto(link.origin)
    await ann.connected()
    await bob.say('after')
    await ann.shows('after')
    await ann.shows('while away')
    expect(await ann.texts()).toEqual(['before', 'while away', 'after'])

    await ann.page.reload()
    await ann.connected()
    await bob.say('last')
    await ann.shows('last')
    await ann.shows('before')
    expect(await ann.texts()).toEqual(['before', 'while away', 'after', 'last'])
    await ann.peopleAre('Ann (you)', 'Bob')
    await bob.peopleAre('Ann', 'Bob (you)')
    expect(left).toEqual([])
    expect(ann.complaints).toEqual([])
  })

  testInChromium('hands over to a duplicate of its tab, and takes the chat back on demand', async () => {
    await bob.say('before')
    await ann.shows('before')
    const duplicate = await ann.duplicate()
    await duplicate.connected()
    await ann.page.getByText('This chat is open in another tab.').waitFor()
    await ann.state('Not connected')

    await bob.say('to the duplicate')
    await duplicate.shows('to the duplicate')
    await duplicate.say('from the duplicate')
    await bob.shows('from the duplicate')
    expect(await ann.texts()).toEqual(['before'])

    await ann.page.getByRole('button', { name: 'Use it here' }).click()
    await ann.connected()
    await duplicate.page.getByText('This chat is open in another tab.').waitFor()
    await bob.say('back at the first')
    await ann.shows('back at the first')
    expect(await ann.texts()).toEqual([
      'before',
      'to the duplicate',
      'from the duplicate',
      'back at the first',
    ])
    expect(left).toEqual([])
  })
})
