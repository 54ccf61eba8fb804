import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { eventually } from '../eventually.ts'
import { FAULT_KINDS, type Fault } from './fault.ts'
import { FaultProxy } from './fault-proxy.ts'

const BODY = 'The answer of the server, which is not short.'

/** What a request was, and whether its connection is still there. */
interface Heard {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly body: string
  readonly response: ServerResponse
}

let server: Server
let proxy: FaultProxy
let heard: Heard[]
let answer: (response: ServerResponse, request: number) => void
let pages: RawPage[]
let faults: (Fault | undefined)[]

beforeEach(async () => {
  heard = []
  pages = []
  faults = []
  answer = (response) => response.end(BODY)
  server = createServer(async (request: IncomingMessage, response: ServerResponse) => {
    const body = await text(request)
    heard.push({ method: request.method, url: request.url, body, response })
    answer(response, heard.length)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  proxy = await FaultProxy.open((server.address() as AddressInfo).port, chosen)
})

afterEach(async () => {
  for (const { socket } of pages) socket.destroy()
  await proxy.close()
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
})

/** One request over a connection whose bytes and end can be seen. */
class RawPage {
  readonly socket: Socket
  text = ''
  /** How many pieces came. */
  pieces = 0
  /** How the connection ended. */
  ending: 'end' | 'reset' | undefined

  constructor(request: string) {
    this.socket = connect(Number(new URL(proxy.origin).port), '127.0.0.1')
    this.socket.write(request)
    this.socket.on('data', (bytes) => {
      this.pieces += 1
      this.text += bytes.toString('latin1')
    })
    this.socket.on('end', () => {
      this.ending = 'end'
    })
    this.socket.on('error', () => {
      this.ending = 'reset'
    })
    pages.push(this)
  }

  get body(): string {
    return this.text.slice(this.text.indexOf('\r\n\r\n') + 4)
  }

  ended(): Promise<void> {
    return eventually(() => this.ending !== undefined)
  }
}

/** Each request has a path of its own, so that its fault is known when it gets to the proxy. */
function ask(fault?: Fault): RawPage {
  const path = `/${faults.push(fault) - 1}`
  return new RawPage(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n`)
}

function chosen(request: string): Fault | undefined {
  return faults[Number(/^GET \/(\d+)/.exec(request)?.[1])]
}

/** How long the head of the server's answer is. */
async function headBytes(): Promise<number> {
  const page = ask()
  await page.ended()
  heard.length = 0
  return page.text.length - page.body.length
}

function hits(): Record<string, number> {
  return Object.fromEntries(Object.entries(proxy.hits).filter(([, count]) => count > 0))
}

describe('Without a fault', () => {
  test('request and answer pass as they are, and are no hit', async () => {
    const response = await fetch(proxy.origin, { method: 'POST', body: 'what is asked' })
    expect(await response.text()).toBe(BODY)
    expect(heard).toMatchObject([{ method: 'POST', body: 'what is asked' }])
    expect(proxy.totalHits).toBe(0)
  })

  test('a request passes that comes in pieces', async () => {
    const page = new RawPage('POST / HTTP/1.1\r\nHost: x\r\nContent-')
    await once(page.socket, 'connect')
    for (const piece of ['Length: 6\r\n\r', '\nabc', 'def']) {
      await new Promise((resolve) => setImmediate(resolve))
      page.socket.write(piece)
    }
    await page.ended()
    expect(page.body).toBe(BODY)
    expect(heard).toMatchObject([{ body: 'abcdef' }])
  })

  test('what is written passes at once, and the server hears that the page has gone', async () => {
    answer = (response) => response.write(BODY)
    const page = ask()
    await eventually(() => page.body.includes(BODY))
    page.socket.destroy()
    await eventually(() => heard[0]!.response.destroyed)
  })

  test('a page that takes nothing makes the server wait', async () => {
    answer = (response) => response.writeHead(200)
    const page = ask()
    page.socket.pause()
    await eventually(() => heard.length === 1)
    const { response } = heard[0]!
    const mebibyte = Buffer.alloc(1024 * 1024)
    // More than both connections hold in their buffers would be taken for ever.
    for (let sent = 0; response.write(mebibyte) && sent < 100; sent += 1) {
      await new Promise((resolve) => response.once('drain', resolve).once('close', resolve))
    }
    for (let turn = 0; turn < 200; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    while (response.write(mebibyte) && response.writableLength < 50 * mebibyte.length);
    expect(response.writableLength).toBeGreaterThan(0)
    page.socket.resume()
    await once(response, 'drain')
  })
})

describe('The fault', () => {
  test("'refuse' resets the connection, and the server hears nothing", async () => {
    const page = ask({ kind: 'refuse' })
    await page.ended()
    expect([page.ending, page.text, heard.length]).toEqual(['reset', '', 0])
    expect(hits()).toEqual({ refuse: 1 })
  })

  test("'late request' has the server hear later", async () => {
    const late = ask({ kind: 'late request', ms: 300 })
    const other = ask()
    await other.ended()
    await late.ended()
    expect([late.body, other.body]).toEqual([BODY, BODY])
    expect(heard.map(({ url }) => url)).toEqual(['/1', '/0'])
    expect(hits()).toEqual({ 'late request': 1 })
  })

  test("'late request' does nothing to a request that was given up before", async () => {
    const page = ask({ kind: 'late request', ms: 100 })
    await once(page.socket, 'connect')
    page.socket.destroy()
    await ask({ kind: 'late request', ms: 200 }).ended()
    expect(heard.map(({ url }) => url)).toEqual(['/1'])
    expect(hits()).toEqual({ 'late request': 1 })
  })

  test("'late answer' passes all pieces later, in their order, and the end behind them", async () => {
    let answeredAt = 0
    answer = async (response) => {
      answeredAt = performance.now()
      for (const piece of BODY.split(' ')) {
        response.write(`${piece} `)
        await new Promise((resolve) => setImmediate(resolve))
      }
      response.end()
    }
    const page = ask({ kind: 'late answer', ms: 50 })
    await eventually(() => answeredAt > 0)
    await page.ended()
    expect(performance.now() - answeredAt).toBeGreaterThan(40)
    expect(page.body.match(/\w+ |\w+[,.] /g)!.join('')).toBe(`${BODY} `)
    expect(page.text.endsWith('\r\n0\r\n\r\n')).toBe(true)
    expect(hits()).toEqual({ 'late answer': 1 })
  })

  test.each(['end', 'reset'] as const)(
    "'drop' by %s lets nothing of the answer through, and the server has heard",
    async (by) => {
      const page = ask({ kind: 'drop', by })
      await page.ended()
      expect([page.ending, page.text, heard.length]).toEqual([by, '', 1])
      expect(hits()).toEqual({ drop: 1 })
    },
  )

  test.each(['end', 'reset'] as const)("'cut' by %s lets so many bytes through", async (by) => {
    const head = await headBytes()
    const page = ask({ kind: 'cut', afterBytes: head + 10, by })
    await page.ended()
    expect(page.ending).toBe(by)
    expect(page.body).toBe(BODY.slice(0, 10))
    expect(hits()).toEqual({ cut: 1 })
  })

  test("'cut' ends a stream while the server still writes, and the server hears of it", async () => {
    answer = (response) => response.write(BODY)
    const page = ask({ kind: 'cut', afterBytes: 10_000, by: 'end' })
    await eventually(() => page.body.includes(BODY))
    heard[0]!.response.write('.'.repeat(20_000))
    await page.ended()
    expect(page.text).toHaveLength(10_000)
    await eventually(() => heard[0]!.response.destroyed)
  })

  test("'cut' behind the end of an answer is no hit", async () => {
    const head = await headBytes()
    const page = ask({ kind: 'cut', afterBytes: head + BODY.length, by: 'reset' })
    await page.ended()
    expect([page.ending, page.body]).toEqual(['end', BODY])
    expect(hits()).toEqual({})
  })

  test("'half-open' is silent from then on, and tells neither end of the other", async () => {
    const head = await headBytes()
    const page = ask({ kind: 'half-open', afterBytes: head + 10 })
    await eventually(() => page.body.length === 10)
    const other = ask()
    await other.ended()
    expect([page.ending, page.body]).toEqual([undefined, BODY.slice(0, 10)])
    expect(hits()).toEqual({ 'half-open': 1 })
  })

  test("'half-open' does not tell the server that the page has gone", async () => {
    answer = (response) => response.write(BODY)
    const page = ask({ kind: 'half-open', afterBytes: 0 })
    await eventually(() => proxy.totalHits === 1)
    page.socket.destroy()
    answer = (response) => response.end(BODY)
    await ask().ended()
    expect(heard[0]!.response.destroyed).toBe(false)
  })

  test("'half-open' behind the end of an answer is no hit", async () => {
    const page = ask({ kind: 'half-open', afterBytes: 10_000 })
    await page.ended()
    expect([page.body, proxy.totalHits]).toEqual([BODY, 0])
  })

  test("'buffer' holds a stream back until there is enough of it, or its end", async () => {
    answer = (response) => response.write(BODY)
    const page = ask({ kind: 'buffer', bytes: 10_000 })
    await eventually(() => proxy.totalHits === 1)
    expect(page.text).toBe('')
    const { response } = heard[0]!
    response.write('.'.repeat(10_000))
    await eventually(() => page.text.length > 10_000)
    response.write('the rest')
    answer = (response) => response.end(BODY)
    await ask().ended()
    expect(page.text).not.toContain('the rest')
    response.end()
    await page.ended()
    expect(page.text.endsWith('\r\n8\r\nthe rest\r\n0\r\n\r\n')).toBe(true)
    expect(hits()).toEqual({ buffer: 1 })
  })

  test("'buffer' does nothing to an answer that is written at once", async () => {
    const page = ask({ kind: 'buffer', bytes: 10_000 })
    await page.ended()
    expect([page.body, proxy.totalHits]).toEqual([BODY, 0])
  })

  test("'slice' passes the beginning in pieces, and all of it in order", async () => {
    const head = await headBytes()
    const page = ask({ kind: 'slice', bytes: 3, pieces: 1000 })
    await page.ended()
    expect(page.body).toBe(BODY)
    // Some may arrive together.
    expect(page.pieces).toBeGreaterThan((head + BODY.length) / 3 / 4)
    expect(hits()).toEqual({ slice: 1 })
  })

  test("'slice' stops after so many pieces", async () => {
    const page = ask({ kind: 'slice', bytes: 1, pieces: 3 })
    await page.ended()
    expect(page.body).toBe(BODY)
    expect(page.pieces).toBeLessThanOrEqual(4)
  })

  test.each(['first', 'second'] as const)(
    "'duplicate' sends the request twice, and gives back the %s answer",
    async (which) => {
      answer = (response, request) => {
        if (request === 2) for (const [index, each] of heard.entries()) each.response.end(`answer ${index}`)
        else response.flushHeaders()
      }
      const page = ask({ kind: 'duplicate', afterMs: 1, answer: which })
      await page.ended()
      expect(page.body).toContain(which === 'first' ? 'answer 0' : 'answer 1')
      expect(heard).toHaveLength(2)
      expect(hits()).toEqual({ duplicate: 1 })
    },
  )

  test("'duplicate' does not repeat a request that was answered in time", async () => {
    const page = ask({ kind: 'duplicate', afterMs: 10_000, answer: 'first' })
    await page.ended()
    page.socket.destroy()
    expect([page.body, heard.length, proxy.totalHits]).toEqual([BODY, 1, 0])
  })
})

test('A fault hits only the request that it was chosen for, which is shown to who chooses', async () => {
  const shown: string[] = []
  proxy.choose = (request) => {
    shown.push(request)
    return request.includes('refuse me') ? { kind: 'refuse' } : undefined
  }
  const failed = fetch(proxy.origin, { method: 'POST', body: 'refuse me' }).catch(() => 'failed')
  const passed = fetch(proxy.origin, { method: 'POST', body: 'let me pass' }).then((each) => each.text())
  expect(await Promise.all([failed, passed])).toEqual(['failed', BODY])
  expect(shown).toHaveLength(2)
  expect(Object.keys(proxy.hits)).toEqual([...FAULT_KINDS])
})
