import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from '@jest/globals'
import type { Browser } from 'playwright-core'
import { launchChromium, testInChromium } from '../support/chromium.ts'
import { ChatWindow } from './chat-window.ts'
import { KeptPages } from './kept-pages.ts'
import { type RunningChat, runChat } from './running-chat.ts'

describe('the rooms of the chat', () => {
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
    ann = await ChatWindow.enter(await pages.open(), chat.origin, 'Ann')
    bob = await ChatWindow.enter(await pages.open(), `${chat.origin}/#Garden`, 'Bob B.')
  })
  afterEach(async () => {
    await pages.leave()
    await chat.close()
  })
  afterAll(() => browser?.close())

  const go = (window: ChatWindow, hash: string) =>
    window.page.evaluate((to) => {
      location.hash = to
    }, hash)

  testInChromium(
    'are in the address: each shows who is in it, what is said in it, and what was',
    async () => {
      expect(await bob.page.getByRole('heading', { level: 1 }).textContent()).toBe('#garden')
      await ann.peopleAre('Ann (you)')
      await bob.peopleAre('Bob B. (you)')
      await ann.say('in the lobby')
      await bob.say('in the garden')
      await ann.shows('in the lobby')
      await bob.shows('in the garden')

      await ann.page.getByRole('link', { name: '#garden' }).click()
      await bob.peopleAre('Ann', 'Bob B. (you)')
      await ann.peopleAre('Ann (you)', 'Bob B.')
      await ann.say('Nice garden')
      await bob.shows('Nice garden')
      await bob.say('Is it not?')
      await ann.shows('Is it not?')
      for (const each of [ann, bob])
        expect(await each.texts()).toEqual(['in the garden', 'Nice garden', 'Is it not?'])

      await ann.page.goBack()
      await bob.peopleAre('Bob B. (you)')
      await ann.peopleAre('Ann (you)')
      await bob.say('Gone?')
      await bob.shows('Gone?')
      await ann.say('Quiet here')
      await ann.shows('Quiet here')
      expect(await ann.texts()).toEqual(['in the lobby', 'Quiet here'])
      await ann.page.reload()
      await ann.peopleAre('Ann (you)')
      expect(await ann.texts()).toEqual(['in the lobby', 'Quiet here'])
      for (const each of [ann, bob]) expect(await each.notes()).toEqual([])
    },
  )

  testInChromium('are left by what is for one person, or for all', async () => {
    const eve = await ChatWindow.enter(await pages.open(), `${chat.origin}/#garden`, 'Eve')
    await ann.say('@bob b. psst')
    await bob.page.locator('.message.private', { hasText: 'Only to you' }).getByText('psst').waitFor()
    await ann.page.locator('.message.private', { hasText: 'Only to Bob B.' }).getByText('psst').waitFor()
    await bob.say('/announce The garden closes')
    for (const each of [ann, bob, eve]) {
      await each.shows('The garden closes')
      await each.page.getByText('To all rooms').waitFor()
    }
    expect(await eve.texts()).toEqual(['The garden closes'])

    await ann.say('@bobby Are you there?')
    await ann.isRefused('Nobody here is called “bobby”.')
    await ann.waiting().getByText('Not sent').waitFor()
    await ann.page.getByRole('button', { name: 'Edit' }).click()
    const field = ann.page.getByRole('textbox', { name: 'Message' })
    expect(await field.inputValue()).toBe('@bobby Are you there?')
    await ann.say('@bob b. Are you there?')
    await bob.shows('Are you there?')
    await ann.shows('Are you there?')
    expect(await ann.waiting().count()).toBe(0)
    expect(await ann.page.locator('#refusal').textContent()).toBe('')

    // In whatever room, and after a reload.
    await go(bob, '#lobby')
    await bob.peopleAre('Ann', 'Bob B. (you)')
    await bob.page.reload()
    await bob.peopleAre('Ann', 'Bob B. (you)')
    for (const each of [ann, bob])
      expect(await each.texts()).toEqual(['psst', 'The garden closes', 'Are you there?'])
    expect(await eve.texts()).toEqual(['The garden closes'])
  })
})
