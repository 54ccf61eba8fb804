import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from '@jest/globals'
import type { Browser } from 'playwright-core'
import { launchChromium, testInChromium } from '../support/chromium.ts'
import { ChatWindow } from './chat-window.ts'
import { KeptPages } from './kept-pages.ts'
import { type RunningChat, runChat } from './running-chat.ts'

describe('the chat', () => {
  let browser: Browser
  let pages: KeptPages
  let chat: RunningChat

  beforeAll(async () => {
    browser = await launchChromium()
    pages = new KeptPages(browser)
  })
  beforeEach(async () => {
    chat = await runChat()
  })
  afterEach(async () => {
    await pages.leave()
    await chat.close()
  })
  afterAll(() => browser?.close())

  testInChromium('shows each message in every window at once, with nothing in the console', async () => {
    const ann = await ChatWindow.enter(await pages.open(), chat.origin, 'Ann')
    const bob = await ChatWindow.enter(await pages.open(), chat.origin, 'Bob')
    await ann.peopleAre('Ann (you)', 'Bob')
    await bob.peopleAre('Ann', 'Bob (you)')

    await ann.say('Hello Bob')
    await bob.shows('Hello Bob')
    await bob.say('Hello Ann')
    await ann.shows('Hello Ann')

    expect(await ann.texts()).toEqual(['Hello Bob', 'Hello Ann'])
    expect(await bob.texts()).toEqual(['Hello Bob', 'Hello Ann'])
    expect(await ann.page.locator('.message.own .text').allTextContents()).toEqual(['Hello Bob'])
    expect(await bob.page.locator('.message.own .text').allTextContents()).toEqual(['Hello Ann'])
    expect([...ann.complaints, ...bob.complaints]).toEqual([])
  })

  testInChromium('shows a newcomer what was said before', async () => {
    const ann = await ChatWindow.enter(await pages.open(), chat.origin, 'Ann')
    await ann.say('one')
    await ann.say('two')
    await ann.shows('two')
    const bob = await ChatWindow.enter(await pages.open(), chat.origin, 'Bob')
    await bob.shows('two')
    expect(await bob.texts()).toEqual(['one', 'two'])
  })

  testInChromium('lets nobody take a name that is in use, however it is written', async () => {
    await ChatWindow.enter(await pages.open(), chat.origin, 'Ann')
    const other = await ChatWindow.open(await pages.open(), chat.origin)
    await other.logIn('ANN ')
    await other.showsLogin('already logged in')
    await other.logIn('Eve')
    await other.connected()
  })

  testInChromium('frees a name at logout, and shows the others that it is gone', async () => {
    const ann = await ChatWindow.enter(await pages.open(), chat.origin, 'Ann')
    const bob = await ChatWindow.enter(await pages.open(), chat.origin, 'Bob')
    await bob.peopleAre('Ann', 'Bob (you)')
    const told = ann.page.waitForResponse('**/logout')
    await ann.page.getByRole('button', { name: 'Log out' }).click()
    await told
    await bob.peopleAre('Bob (you)')
    await ann.logIn('Ann')
    await ann.connected()
    await bob.peopleAre('Ann', 'Bob (you)')
    expect([...ann.complaints, ...bob.complaints]).toEqual([])
  })

  testInChromium('shows hostile names and texts as the text they are', async () => {
    const text = '<img src=x onerror="document.title=1"><script>document.title = 2</script>'
    const eve = await ChatWindow.enter(await pages.open(), chat.origin, '<b>Eve</b>')
    const bob = await ChatWindow.enter(await pages.open(), chat.origin, 'Bob')
    await eve.say(text)
    await bob.shows(text)
    await bob.peopleAre('<b>Eve</b>', 'Bob (you)')
    expect(await bob.page.title()).toBe('#lobby · Chat')
    expect(await bob.page.locator('.message :is(img, script, b), .person b').count()).toBe(0)
  })

  testInChromium('fits a phone, whatever is said', async () => {
    const viewport = { width: 360, height: 640 }
    const ann = await ChatWindow.enter(
      await pages.openNew({ viewport }),
      chat.origin,
      'A name of 24 letters, Ann',
    )
    const word = 'abcdefghij'.repeat(20)
    await ann.say(word)
    await ann.shows(word)
    const width = await ann.page.evaluate(() => document.documentElement.scrollWidth)
    expect(width).toBeLessThanOrEqual(360)
    const send = await ann.page.getByRole('button', { name: 'Send', exact: true }).boundingBox()
    expect(send!.x + send!.width).toBeLessThanOrEqual(360)
    expect(send!.y + send!.height).toBeLessThanOrEqual(640)
  })

  testInChromium('stays at the newest message, and lets a reader read on who has scrolled up', async () => {
    const ann = await ChatWindow.enter(await pages.open(), chat.origin, 'Ann')
    const bob = await ChatWindow.enter(await pages.open(), chat.origin, 'Bob')
    const lines = Array.from({ length: 8 }, (_, index) => `line ${index}\n\n\n\nand its end`)
    for (const each of lines) await bob.say(each)
    await ann.shows(lines.at(-1)!)
    expect(await ann.page.locator('.text', { hasText: 'line 7' }).isVisible()).toBe(true)
    const log = ann.page.getByRole('log')
    expect(await log.evaluate((each) => each.scrollHeight - each.scrollTop - each.clientHeight)).toBeLessThan(
      2,
    )

    await log.focus()
    await ann.page.keyboard.press('Home')
    await ann.page.waitForFunction(() => document.querySelector('#messages')?.scrollTop === 0)
    await bob.say('new')
    await ann.page.getByRole('button', { name: 'Newest messages' }).click()
    expect(await log.evaluate((each) => each.scrollHeight - each.scrollTop - each.clientHeight)).toBeLessThan(
      2,
    )
  })
})
