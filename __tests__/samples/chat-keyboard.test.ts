import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from '@jest/globals'
import type { Browser } from 'playwright-core'
import { launchChromium, testInChromium } from '../support/chromium.ts'
import { ChatWindow } from './chat-window.ts'
import { KeptPages } from './kept-pages.ts'
import { type RunningChat, runChat } from './running-chat.ts'

describe('the chat by keyboard alone', () => {
  let browser: Browser
  let pages: KeptPages
  let chat: RunningChat
  let ann: ChatWindow

  beforeAll(async () => {
    browser = await launchChromium()
    pages = new KeptPages(browser)
  })
  beforeEach(async () => {
    chat = await runChat()
    ann = await ChatWindow.open(await pages.open(), chat.origin)
  })
  afterEach(async () => {
    await pages.leave()
    await chat.close()
  })
  afterAll(() => browser?.close())

  const press = (keys: string) => ann.page.keyboard.press(keys)
  const type = (text: string) => ann.page.keyboard.type(text)

  /** What has the focus, by its id or its text, and whether one sees it. */
  function focused(): Promise<{ what: string | undefined; isVisible: boolean }> {
    return ann.page.locator(':focus').evaluate((element) => ({
      what: element.id || element.textContent?.trim(),
      isVisible: getComputedStyle(element).outlineStyle !== 'none',
    }))
  }

  async function enter(): Promise<void> {
    await type('Ann')
    await press('Enter')
    await ann.connected()
  }

  testInChromium('one logs in, writes, reads, and logs out', async () => {
    expect(await focused()).toEqual({ what: 'name', isVisible: true })
    await enter()
    expect(await focused()).toEqual({ what: 'text', isVisible: true })

    await type('first line')
    await press('Shift+Enter')
    await type('second line')
    await press('Enter')
    await ann.shows('first line\nsecond line')
    expect(await ann.texts()).toEqual(['first line\nsecond line'])
    expect(await focused()).toEqual({ what: 'text', isVisible: true })

    for (const what of ['messages', '#kitchen', '#garden', '#lobby', 'logout']) {
      await press('Shift+Tab')
      expect(await focused()).toEqual({ what, isVisible: true })
    }
    await press('Enter')
    await ann.showsLogin('')
    expect(await focused()).toEqual({ what: 'name', isVisible: true })
  })

  testInChromium('the focus goes through the room from top to bottom', async () => {
    await enter()
    await ann.page.locator('#logout').focus()
    for (const what of ['#lobby', '#garden', '#kitchen', 'messages', 'text', 'Send']) {
      await press('Tab')
      expect(await focused()).toEqual({ what, isVisible: true })
    }
  })

  testInChromium('an empty message is not sent', async () => {
    await enter()
    await type('   ')
    await press('Enter')
    await type('something')
    await press('Enter')
    await ann.shows('something')
    expect(await ann.texts()).toEqual(['something'])
  })

  testInChromium('everything has a name, and new messages are read out', async () => {
    await enter()
    const log = ann.page.getByRole('log', { name: 'Messages' })
    expect(await log.count()).toBe(1)
    expect(await ann.page.getByRole('textbox', { name: 'Message' }).count()).toBe(1)
    expect(await ann.page.getByRole('complementary', { name: 'Here now' }).count()).toBe(1)
    expect(await ann.page.getByRole('navigation', { name: 'Rooms' }).count()).toBe(1)
    await type('Hello')
    await press('Enter')
    await ann.shows('Hello')
    expect(await log.ariaSnapshot()).toMatch(/Ann \(you\).*\n.*Hello/)
  })
})
