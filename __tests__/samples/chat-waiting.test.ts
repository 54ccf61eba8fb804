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

  const waiting = () => ann.page.getByRole('list', { name: 'Not sent yet' }).getByRole('listitem')
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

  testInChromium('keeps what was written in sight, and sends it when it is told to: once', async () => {
    await enter()
    // Neither sent nor refused, as in a network that is frozen.
    await ann.page.route('**/messages', () => {})
    await ann.say('into the ice')
    await waiting().getByText('into the ice').waitFor()
    expect(await ann.texts()).toEqual([])
    await isStuck()
    await ann.state(SLOW)
    await ann.page.unroute('**/messages')
    await ann.page.getByRole('button', { name: 'Send now' }).click()
    await bob.shows('into the ice')
    await ann.shows('into the ice')
    await isEmpty()
    await ann.connected()
    expect(await waiting().count()).toBe(0)
    expect(await ann.texts()).toEqual(['into the ice'])
    expect(await bob.texts()).toEqual(['into the ice'])
  })

  testInChromium('sends what was written by itself after a while', async () => {
    await enter()
    await ann.page.route('**/messages', (route) => route.abort(), { times: 1 })
    await ann.say('patience')
    await isStuck()
    await ann.page.clock.runFor(10_000)
    await ann.shows('patience')
    await isEmpty()
    expect(await waiting().count()).toBe(0)
  })

  testInChromium('asks again for what was said before, until it is told', async () => {
    await bob.say('before')
    await bob.shows('before')
    let requests = 0
    await ann.page.route('**/room', async (route) => {
      requests += 1
      await (requests > 1 ? route.continue() : route.abort())
    })
    await enter()
    expect(await ann.texts()).toEqual([])
    await ann.page.clock.runFor(5000)
    await ann.shows('before')
    await ann.peopleAre('Ann (you)', 'Bob')
  })
})
