import { afterEach, beforeEach, expect, jest } from '@jest/globals'
import {
  CometChannel,
  type CometChannelOptions,
  type CometError,
  type WireMessage,
} from '../../client/index.ts'
import type { PrivateToken } from '../../client/options.ts'
import type { RegisterAnswer } from '../../lib/wire.ts'
import type { Received } from './scripted-server.ts'
import { ScriptedServer } from './scripted-server.ts'

export const TOKEN = 'given-private-token-1234'

/** A storage like a tab's. */
export class TabStorage {
  readonly items = new Map<string, string>()

  getItem(key: string): string | null {
    return this.items.get(key) ?? null
  }

  setItem(key: string, value: string): void {
    this.items.set(key, value)
  }

  removeItem(key: string): void {
    this.items.delete(key)
  }

  /** As a browser does for a duplicated tab. */
  copy(): TabStorage {
    const copy = new TabStorage()
    for (const [key, value] of this.items) copy.setItem(key, value)
    return copy
  }
}

/** A channel whose handlers write down what they are told. */
export interface Page {
  readonly channel: CometChannel
  /** What the handlers got, in one order: `message:3`, `timeout`, `failure:CODE:willRetry`, `state:x`, `reset:reason`, `slow`. */
  readonly seen: string[]
  readonly messages: WireMessage[]
  readonly failures: CometError[]
  add(entry: string): void
  /** Resolves when `seen` has this entry so many times. */
  until(entry: string, times?: number): Promise<void>
}

let server: ScriptedServer
const pages: CometChannel[] = []
/** Its abort ends all pages of the test. */
let testEnds = new AbortController()

/** Gives each test a server of its own, and leaves nothing behind. */
export function useServer(): void {
  beforeEach(async () => {
    server = await ScriptedServer.open()
  })
  afterEach(async () => {
    jest.restoreAllMocks()
    for (const channel of pages.splice(0)) channel.unsubscribe()
    testEnds.abort()
    testEnds = new AbortController()
    await server.close()
  })
}

export function theServer(): ScriptedServer {
  return server
}

/** Puts another server where the first was. */
export async function restartServer(whileDown: () => Promise<unknown>): Promise<ScriptedServer> {
  const { port } = server
  await server.close()
  await whileDown()
  server = await ScriptedServer.open(port)
  return server
}

/** `null` registers itself. Nothing is stored unless a storage is given; and it polls, unless told otherwise. */
export function openPage(
  privateToken: PrivateToken | null,
  options: CometChannelOptions = {},
  suffix = '',
): Page {
  const page = openSilentPage(privateToken, options, suffix)
  page.channel.addSuccessHandler((_token, _alias, message) => {
    page.messages.push(message)
    page.add(`message:${message.mid}`)
  })
  return page
}

/** As `openPage`, but nobody listens to messages. */
export function openSilentPage(
  privateToken: PrivateToken | null,
  options: CometChannelOptions = {},
  suffix = '',
): Page {
  const channel = new CometChannel(server.url + suffix, privateToken, 'default', {
    storage: null,
    transports: ['long-polling'],
    signal: testEnds.signal,
    ...options,
  })
  pages.push(channel)
  return watch(channel)
}

function watch(channel: CometChannel): Page {
  const seen: string[] = []
  const failures: CometError[] = []
  const waiting = new Set<() => void>()
  const add = (entry: string) => {
    seen.push(entry)
    for (const check of waiting) check()
  }
  channel.addFailureHandler((_token, _alias, error) => {
    failures.push(error)
    add(`failure:${error.code}:${error.willRetry}`)
  })
  channel.addTimeoutHandler(() => add('timeout'))
  channel.addEventListener('statechange', ({ detail }) => add(`state:${detail.state}`))
  channel.addEventListener('connectionslow', () => add('slow'))
  channel.addEventListener('reset', ({ detail }) => add(`reset:${detail.reason}`))
  const until = (entry: string, times = 1) =>
    new Promise<void>((resolve) => {
      const check = () => {
        if (seen.filter((each) => each === entry).length < times) return
        waiting.delete(check)
        resolve()
      }
      waiting.add(check)
      check()
    })
  return { channel, seen, messages: [], failures, until, add }
}

export function message(mid: number, n = 'News'): WireMessage {
  return { mid, n, c: { text: `contents of ${mid}` } }
}

/** Answers the first poll, so that the page is connected; returns the poll that it then has held. */
export async function connect(cursor = 'e1:10'): Promise<Received> {
  const first = await server.next()
  first.timeout(cursor)
  return server.next()
}

/** As `openPage`, but by streams as long as nothing speaks against them; unless told otherwise. */
export function openStreamingPage(
  privateToken: PrivateToken | null = TOKEN,
  options: CometChannelOptions = {},
): Page {
  return openPage(privateToken, { transports: ['streaming', 'long-polling'], ...options })
}

/** Opens the stream that the page opened last asks for, and waits until the page is at that cursor. */
export async function connectStream(cursor = 'e1:10', keepAliveSeconds?: number): Promise<Received> {
  const stream = await server.next()
  expect(stream.headers.accept).toBe('text/event-stream')
  stream.stream({}, keepAliveSeconds)
  stream.keepAlive(cursor)
  await untilCursor(pages.at(-1)!, cursor)
  return stream
}

export async function untilCursor(channel: CometChannel, cursor: string): Promise<void> {
  while (channel.cursor !== cursor) await new Promise((resolve) => setImmediate(resolve))
}

/** Two requests of our own make their way to the server and back before any of a page does. */
export async function expectNoRequest(): Promise<void> {
  for (const method of ['OPTIONS', 'PUT']) {
    const sent = fetch(server.url, { method })
    const next = await server.next()
    expect([next.method, next.url]).toEqual([method, '/comet'])
    next.answer(204, {}, '')
    await sent
  }
}

/** A promise that the test resolves. */
export function deferred<T = void>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {}
  const promise = new Promise<T>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}

/** Makes every back-off the shortest that it can be. */
export function withoutJitter(): void {
  fixRandom(0)
}

/** Fixes what the back-off draws, from 0 to 1. Longer draws, for ids, stay random. */
export function fixRandom(share: number): void {
  const real = crypto.getRandomValues.bind(crypto)
  jest.spyOn(crypto, 'getRandomValues').mockImplementation((array) => {
    if (!(array instanceof Uint32Array) || array.length !== 1) return real(array)
    array[0] = Math.min(2 ** 32 - 1, share * 2 ** 32)
    return array
  })
}

/** What became of a promise: its value, or the code that it was rejected with. */
export async function outcome(promise: Promise<unknown>): Promise<unknown> {
  return promise.catch(({ code }: CometError) => code)
}

/** The next request, which has to be one that is sent: what it carries. */
export async function nextSent(): Promise<{ request: Received; n: string; c: unknown; key: string }> {
  const request = await server.next()
  expect([request.method, request.url]).toEqual(['POST', '/comet/send'])
  return { request, ...(JSON.parse(request.body) as { n: string; c: unknown; key: string }) }
}

/** The next request, which has to ask for a change of groups: the change. */
export async function nextGroups(): Promise<{ request: Received; join: string[]; leave: string[] }> {
  const request = await server.next()
  expect([request.method, request.url]).toEqual(['POST', '/comet/groups'])
  const change = JSON.parse(request.body) as { join?: string[]; leave?: string[] }
  return { request, join: [], leave: [], ...change }
}

/** Registers the page, and returns the poll that is then held. */
export async function connectRegistered(answer: Partial<RegisterAnswer> = {}): Promise<Received> {
  const register = await server.next()
  expect(register.url).toBe('/comet/register')
  register.registered(answer)
  return connect(answer.cursor)
}
