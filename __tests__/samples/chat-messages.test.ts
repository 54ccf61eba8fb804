import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import Database from 'better-sqlite3'
import { SqliteCometStateProvider } from 'koa-comet/providers/sqlite'
import { type Chat, createChat } from '../../samples/chat/app.ts'
import type { Entered } from '../../samples/chat/talk.ts'
import { post } from '../support/post.ts'
import { chatFolder } from './running-chat.ts'
import { type RunningSample, runSample } from './running-sample.ts'

/** As the chat made it when it was one room. */
const OLD_TABLE = `
  CREATE TABLE chat_messages (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    publicToken TEXT NOT NULL,
    name TEXT NOT NULL,
    text TEXT NOT NULL,
    at INTEGER NOT NULL
  ) STRICT;
  INSERT INTO chat_messages VALUES (7, 'eve 1-2-3', 'eve', 'Eve', 'long ago', 7)`

describe('What is said in the chat', () => {
  let folder: string
  let chat: Chat
  let running: RunningSample
  let keys = 0

  beforeEach(async () => {
    folder = await chatFolder()
    const file = join(folder, 'chat.db')
    const old = new Database(file)
    old.exec(OLD_TABLE)
    old.close()
    chat = await createChat(new SqliteCometStateProvider(file), file)
    running = await runSample(chat)
  })
  afterEach(async () => {
    await running.close()
    chat.messages.close()
    await rm(folder, { recursive: true })
  })

  async function logIn(displayName: string) {
    const publicToken = displayName.toLowerCase()
    const { privateToken } = await chat.channel.initializeClient({ publicToken, displayName })
    const send = (n: string, c: unknown) => post(`${running.origin}/comet/send`, privateToken, { n, c })
    return {
      say: (text: string, { room = 'lobby', key = `1000-${++keys}-0000` } = {}) =>
        send('Say', { room, text, key }),
      async enter(room: string) {
        const { body } = await send('Enter', { room })
        return (body as { c: Entered }).c
      },
      async sees(room: string) {
        const { messages } = await this.enter(room)
        return messages.map(({ text }) => text)
      },
    }
  }

  test('is kept by the room; what an older file has was said in the lobby', async () => {
    const ann = await logIn('Ann')
    await ann.say('one')
    await ann.say('two', { room: 'Garden' })
    expect(await ann.sees('lobby')).toEqual(['long ago', 'one'])
    expect(await ann.sees('GARDEN')).toEqual(['two'])
  })

  test('with the same key is said once, and told as the one message', async () => {
    const ann = await logIn('Ann')
    const bob = await logIn('Bob')
    const key = '1234-5678'
    const [first, second] = [await ann.say('once', { key }), await ann.say('once', { key })]
    expect(second.body).toMatchObject({ c: { id: (first.body as { c: { id: number } }).c.id, key } })
    expect(await ann.sees('lobby')).toEqual(['long ago', 'once'])
    // A key is its sender's own.
    await bob.say('another', { key })
    expect(await ann.sees('lobby')).toEqual(['long ago', 'once', 'another'])
    const sent = chat.channel.getMessages({ group: 'lobby' }).map(({ contents }) => contents)
    expect(sent).toMatchObject([{ text: 'once' }, { text: 'another' }])
  })

  test('to one person goes to whoever has the longest name that fits, however it is written', async () => {
    const ann = await logIn('Ann')
    const lee = await logIn('Ann Lee')
    const bob = await logIn('Bob')
    expect((await bob.say('@ANN  lee  hello')).body).toMatchObject({
      c: { toName: 'Ann', text: 'lee  hello' },
    })
    expect((await bob.say('@ann LEE hello')).body).toMatchObject({ c: { toName: 'Ann Lee', text: 'hello' } })
    expect((await bob.say('@ 5 pm')).body).toMatchObject({ c: { toName: null, room: 'lobby' } })
    expect(await ann.sees('garden')).toEqual(['lee  hello'])
    expect(await lee.sees('kitchen')).toEqual(['hello'])
    expect(await bob.sees('garden')).toEqual(['lee  hello', 'hello'])
  })

  test('to one person is not shown to who has that name later', async () => {
    const ann = await logIn('Ann')
    await logIn('Bob')
    await ann.say('@bob secret')
    await chat.channel.stopClient('bob')
    const other = await logIn('Bob')
    expect(await other.sees('lobby')).toEqual(['long ago'])
    expect(await ann.sees('lobby')).toEqual(['long ago', 'secret'])
  })

  test('is refused with the reason if it cannot be said', async () => {
    const ann = await logIn('Ann')
    for (const [text, room, code] of [
      ['@nobody hello', 'lobby', 'NO_SUCH_PERSON'],
      ['@ann', 'lobby', 'TEXT_IS_EMPTY'],
      ['/announce ', 'lobby', 'TEXT_IS_EMPTY'],
      ['x'.repeat(2001), 'lobby', 'TEXT_IS_TOO_LONG'],
      ['hello', '', 'ROOM_IS_INVALID'],
      ['hello', 'r'.repeat(25), 'ROOM_IS_INVALID'],
    ] as const) {
      expect(await ann.say(text, { room })).toMatchObject({ status: 422, error: { code } })
    }
    expect(await ann.say('hello', { key: 'no key' })).toMatchObject({ error: { code: 'KEY_IS_INVALID' } })
    expect(await ann.sees('lobby')).toEqual(['long ago'])
  })

  test('is for one room at a time: who enters the next leaves the one before', async () => {
    const ann = await logIn('Ann')
    const bob = await logIn('Bob')
    await bob.enter('garden')
    await ann.enter('lobby')
    const { people } = await ann.enter('garden')
    expect(people.map(({ displayName }) => displayName).sort()).toEqual(['Ann', 'Bob'])
    expect((await bob.enter('lobby')).people).toEqual([
      { publicToken: 'bob', displayName: 'Bob', data: null },
    ])
  })
})
