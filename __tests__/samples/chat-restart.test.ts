import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { Browser } from 'playwright-core'
import { launchChromium, testInChromium } from '../support/chromium.ts'
import { ChatWindow } from './chat-window.ts'
import { KeptPages } from './kept-pages.ts'
import { chatFolder, type RunningChat, runChatInMemory } from './running-chat.ts'
import { type SampleProcess, startSample } from './sample-process.ts'

const TOLD = 'The server restarted, or you were away for long'

let browser: Browser
let pages: KeptPages

beforeAll(async () => {
  browser = await launchChromium()
  pages = new KeptPages(browser)
})
afterEach(async () => {
  await pages.leave()
})
afterAll(() => browser?.close())

describe('the server of the chat', () => {
  let folder: string
  let server: SampleProcess

  beforeEach(async () => {
    folder = await chatFolder()
    server = await start()
  })
  afterEach(async () => {
    await server?.end('SIGKILL')
    await rm(folder, { recursive: true })
  })

  function start(port?: number, cwd?: string): Promise<SampleProcess> {
    return startSample('chat', port, { CHAT_FILE: join(folder, 'chat.db') }, cwd)
  }

  test('shows its page wherever it is started', async () => {
    const second = await start(0, folder)
    try {
      const page = await fetch(second.origin)
      expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('<title>Chat</title>')])
    } finally {
      await second.end('SIGKILL')
    }
  })

  testInChromium('is killed and started again: nothing is lost, and nobody is told of a reset', async () => {
    const { origin, port } = server
    const ann = await ChatWindow.enter(await pages.open(), origin, 'Ann')
    const bob = await ChatWindow.enter(await pages.open(), origin, 'Bob')
    await ann.say('before')
    await bob.shows('before')

    await server.end('SIGKILL')
    await ann.state('Reconnecting')
    await bob.state('Reconnecting')
    await ann.say('written while it was down')
    await ann.page.getByText('Not sent yet: 1 message').waitFor()
    server = await start(port)

    for (const window of [ann, bob]) {
      await window.connected()
      await window.shows('written while it was down')
    }
    await ann.peopleAre('Ann (you)', 'Bob')
    await bob.peopleAre('Ann', 'Bob (you)')
    await bob.say('after')
    await ann.shows('after')
    const all = ['before', 'written while it was down', 'after']
    expect(await ann.texts()).toEqual(all)
    await bob.page.reload()
    await bob.connected()
    await bob.shows('after')
    expect(await bob.texts()).toEqual(all)
    const newcomer = await ChatWindow.enter(await pages.open(), origin, 'Eve')
    await newcomer.shows('after')
    expect(await newcomer.texts()).toEqual(all)
    for (const window of [ann, bob, newcomer]) expect(await window.notes()).toEqual([])
  })

  testInChromium(
    'ends by itself on SIGTERM while it holds requests, and its pages go on with the next one as if nothing had been',
    async () => {
      const { origin, port } = server
      const ann = await ChatWindow.enter(await pages.open(), origin, 'Ann')
      const bob = await ChatWindow.enter(await pages.open(), origin, 'Bob')
      await ann.say('before')
      await bob.shows('before')
      expect(await server.end('SIGTERM')).toBe(0)
      expect(await readdir(folder)).toEqual(['chat.db'])
      server = await start(port)
      await bob.say('after')
      await ann.shows('after')
      await bob.shows('after')
      await ann.peopleAre('Ann (you)', 'Bob')
      for (const window of [ann, bob]) {
        expect(await window.texts()).toEqual(['before', 'after'])
        expect(await window.notes()).toEqual([])
      }
    },
  )

  testInChromium(
    'was started again while the page was away: it goes on under its name, and has missed nothing',
    async () => {
      const { origin, port } = server
      const ann = await ChatWindow.enter(await pages.open(), origin, 'Ann')
      await ann.page.goto('about:blank')
      await server.end('SIGKILL')
      server = await start(port)
      const bob = await ChatWindow.enter(await pages.open(), origin, 'Bob')
      await bob.say('while she was away')
      await bob.shows('while she was away')
      const other = await ChatWindow.open(await pages.open(), origin)
      await other.logIn('Ann')
      await other.showsLogin('already logged in')
      await ann.page.goto(origin)
      await ann.connected()
      await ann.shows('while she was away')
      await ann.peopleAre('Ann (you)', 'Bob')
      expect(await ann.notes()).toEqual([])
    },
  )

  testInChromium('shares its room with a second one on the same file', async () => {
    const second = await start()
    try {
      const ann = await ChatWindow.enter(await pages.open(), server.origin, 'Ann')
      const bob = await ChatWindow.enter(await pages.open(), second.origin, 'Bob')
      await ann.peopleAre('Ann (you)', 'Bob')
      await bob.peopleAre('Ann', 'Bob (you)')
      await ann.say('Hello over there')
      await bob.shows('Hello over there')
      await bob.say('Hello back')
      await ann.shows('Hello back')
      expect(await ann.texts()).toEqual(['Hello over there', 'Hello back'])
      expect(await bob.texts()).toEqual(['Hello over there', 'Hello back'])
    } finally {
      await second.end('SIGKILL')
    }
  })
})

describe('the chat in memory alone', () => {
  let chat: RunningChat

  beforeEach(async () => {
    chat = await runChatInMemory()
  })
  afterEach(() => chat.close())

  async function restart(): Promise<void> {
    const { port } = chat
    await chat.close()
    chat = await runChatInMemory(port)
  }

  testInChromium(
    'is started again: each page goes on by itself, and says that it was told of a reset',
    async () => {
      const ann = await ChatWindow.enter(await pages.open(), chat.origin, 'Ann')
      const bob = await ChatWindow.enter(await pages.open(), chat.origin, 'Bob')
      await ann.say('before')
      await bob.shows('before')
      await restart()
      for (const window of [ann, bob]) {
        await window.showsNote(TOLD)
        await window.connected()
      }
      await ann.peopleAre('Ann (you)', 'Bob')
      await bob.peopleAre('Ann', 'Bob (you)')
      await bob.say('after')
      await ann.shows('after')
      expect(await ann.texts()).toEqual(['before', 'after'])
      await ann.page.reload()
      await ann.connected()
      await ann.shows('after')
      expect(await ann.texts()).toEqual(['after'])
    },
  )

  testInChromium('asks for another name when somebody else took it during a restart', async () => {
    const ann = await ChatWindow.enter(await pages.openNew(), chat.origin, 'Ann')
    await ann.page.context().setOffline(true)
    await restart()
    const other = await ChatWindow.enter(await pages.open(), chat.origin, 'Ann')
    await ann.page.context().setOffline(false)
    await ann.showsLogin('already logged in')
    await other.peopleAre('Ann (you)')
  })
})
