import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from '@jest/globals'
import type { Browser } from 'playwright-core'
import { launchChromium, testInChromium } from '../support/chromium.ts'
import { ChatWindow } from './chat-window.ts'
import { KeptPages } from './kept-pages.ts'
import { type RunningChat, runChat } from './running-chat.ts'

const SLOW = 'Connected, slow'

describe('a window of the chat whose server does not answer', () => {
  let browser: Browser
  let pages: KeptPages
  let chat: RunningChat
  let ann: ChatWindow
  let bob: ChatWindow

  beforeAll(async () => {
    browser = await launchChromium()
    pages = new KeptPages(browser)
  })
  beforeEach(async () => {
    chat = await runChat()
    bob = await ChatWindow.enter(await pages.open(), chat.origin, 'Bob')
    const page = await pages.openNew()
    await page.clock.install()
    ann = await ChatWindow.open(page, chat.origin)
  })
  afterEach(async () => {
    await pages.leave()
    await chat.close()
  })
  afterAll(() => browser?.close())

  async function enter(): Promise<void> {
    await ann.logIn('Ann')
    await ann.connected()
  }

  const isStuck = () => ann.page.getByText('Not sent yet: 1 message').waitFor()
  const isEmpty = () => ann.page.locator('#unsent').waitFor({ state: 'hidden' })

  testInChromium('says so when nothing has come for long, and no more when something comes', async () => {
    await enter()
    await ann.page.clock.runFor(20_000)
    await ann.state(SLOW)
    await ann.page.setViewportSize({ width: 360, height: 640 })
    const isWhole = await ann.page
      .locator('#status')
      .evaluate((status) => status.scrollWidth <= status.clientWidth)
    expect(isWhole).toBe(true)
    await bob.say('Here I am')
    await ann.shows('Here I am')
    await ann.connected()
  })

  testInChromium('keeps what was written in sight, and sends it by itself: once', async () => {
    await enter()
    // Neither sent nor refused, as in a network that is frozen.
    await ann.page.route('**/comet/send', () => {})
    await ann.say('into the ice')
    await ann.waiting().getByText('into the ice').waitFor()
    expect(await ann.texts()).toEqual([])
    await ann.page.clock.runFor(5000)
    await isStuck()
    await ann.state(SLOW)
    await ann.page.unroute('**/comet/send')
    await ann.page.clock.runFor(40_000)
    await bob.shows('into the ice')
    await ann.shows('into the ice')
    await isEmpty()
    await ann.connected()
    expect(await ann.waiting().count()).toBe(0)
    expect(await ann.texts()).toEqual(['into the ice'])
    expect(await bob.texts()).toEqual(['into the ice'])
  })

  testInChromium(
    'marks what may not have been sent, until that is known, or it is sent again: once',
    async () => {
      await enter()
      let reachesServer = false
      const body = [{ mid: 0, n: 'aspNetComet.error', c: 'Nobody knows.', code: 'COMET_OUTCOME_IS_UNKNOWN' }]
      await ann.page.route('**/comet/send', async (route) => {
        if (reachesServer) await route.fetch()
        await route.fulfill({ status: 409, json: body })
      })
      await ann.say('perhaps')
      await ann.waiting().getByText('Perhaps not sent').waitFor()
      // It comes through the channel, whatever its sending is told.
      reachesServer = true
      await ann.say('certainly')
      await bob.shows('certainly')
      await ann.shows('certainly')
      await ann.waiting().getByText('certainly').waitFor({ state: 'detached' })
      await ann.waiting().getByText('Perhaps not sent').waitFor()
      await ann.page.unroute('**/comet/send')
      await ann.page.getByRole('button', { name: 'Send again' }).click()
      await bob.shows('perhaps')
      await ann.shows('perhaps')
      expect(await ann.waiting().count()).toBe(0)
      for (const each of [ann, bob]) expect(await each.texts()).toEqual(['certainly', 'perhaps'])
    },
  )

  testInChromium('asks again for what was said before, until it is told', async () => {
    await bob.say('before')
    await bob.shows('before')
    const isEntering = ann.page.waitForRequest('**/comet/send')
    await ann.page.route('**/comet/send', (route) => route.abort())
    await enter()
    await isEntering
    expect(await ann.texts()).toEqual([])
    await ann.page.unroute('**/comet/send')
    await ann.page.clock.runFor(30_000)
    await ann.shows('before')
    await ann.peopleAre('Ann (you)', 'Bob')
  })
})
