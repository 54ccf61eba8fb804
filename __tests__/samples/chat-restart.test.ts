import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from '@jest/globals'
import type { Browser } from 'playwright-core'
import { launchChromium, testInChromium } from '../support/chromium.ts'
import { ChatWindow } from './chat-window.ts'
import { type SampleProcess, startSample } from './sample-process.ts'

const TOLD = 'The server restarted, or you were away for long'

describe('the server of the chat', () => {
  let browser: Browser
  let server: SampleProcess

  beforeAll(async () => {
    browser = await launchChromium()
  })
  beforeEach(async () => {
    server = await startSample('chat')
  })
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close()
    await server.end('SIGKILL')
  })
  afterAll(() => browser?.close())

  testInChromium(
    'is killed and started again: each page goes on by itself, and says that it was told',
    async () => {
      const { origin, port } = server
      const ann = await ChatWindow.enter(browser, origin, 'Ann')
      const bob = await ChatWindow.enter(browser, origin, 'Bob')
      await ann.say('before')
      await bob.shows('before')

      await server.end('SIGKILL')
      await ann.state('Reconnecting')
      await bob.state('Reconnecting')
      await ann.say('written while it was down')
      await ann.page.getByText('Not sent yet: 1 message').waitFor()
      server = await startSample('chat', port)

      for (const window of [ann, bob]) {
        await window.showsNote(TOLD)
        await window.connected()
      }
      await ann.peopleAre('Ann (you)', 'Bob')
      await bob.peopleAre('Ann', 'Bob (you)')
      await ann.shows('written while it was down')
      await bob.say('after')
      await ann.shows('after')
      expect(await ann.texts()).toEqual(['before', 'written while it was down', 'after'])
      expect(await bob.page.locator('.note').count()).toBe(1)
      await bob.page.reload()
      await bob.connected()
      await bob.shows('after')
      expect(await bob.texts()).toEqual(['written while it was down', 'after'])
    },
  )

  testInChromium(
    'was started again while the page was away: the page comes back under its name',
    async () => {
      const { origin, port } = server
      const ann = await ChatWindow.enter(browser, origin, 'Ann')
      await ann.page.goto('about:blank')
      await server.end('SIGKILL')
      server = await startSample('chat', port)
      await ann.page.goto(origin)
      await ann.showsNote(TOLD)
      await ann.connected()
      await ann.peopleAre('Ann (you)')
    },
  )

  testInChromium('ends by itself on SIGTERM while it holds a poll', async () => {
    const ann = await ChatWindow.enter(browser, server.origin, 'Ann')
    await ann.say('Hello')
    await ann.shows('Hello')
    expect(await server.end('SIGTERM')).toBe(0)
  })

  testInChromium('asks for another name when somebody else took it during a restart', async () => {
    const { origin, port } = server
    const ann = await ChatWindow.enter(browser, origin, 'Ann')
    await server.end('SIGKILL')
    await ann.state('Reconnecting')
    await ann.page.context().setOffline(true)
    server = await startSample('chat', port)
    const other = await ChatWindow.enter(browser, origin, 'Ann')
    await ann.page.context().setOffline(false)
    await ann.showsLogin('already logged in')
    await other.peopleAre('Ann (you)')
  })
})
