import { randomBytes } from 'node:crypto'
import type { WireMessage } from '../lib/wire.ts'
import { serveTasks } from './child-process.ts'
import { type Delivered, GapReceiver } from './gap-receiver.ts'
import type { Answer } from './http-socket.ts'
import { PollSocket } from './poll-socket.ts'

/** Thousands of pages in one process. */

/** So many connect at a time: more would be more than the server's backlog. */
const CONNECTED_AT_ONCE = 250

/** One address has about 28,000 ports, and a closed connection keeps its own for a minute. */
const LOCAL_ADDRESSES = Array.from({ length: 8 }, (_, index) => `127.0.0.${index + 2}`)

let gapReceiver: GapReceiver | undefined
let sockets: PollSocket[] = []
let answers: Promise<Answer[]> = Promise.resolve([])

export interface Received {
  /** How many polls were answered with the text, once, and nothing else. */
  readonly complete: number
  /** When the last answer was complete, on the clock that processes share. */
  readonly lastByteAtMs: number
}

const tasks = {
  async connect({ port, privateTokens }: { port: number; privateTokens: readonly string[] }): Promise<void> {
    for (let first = 0; first < privateTokens.length; first += CONNECTED_AT_ONCE) {
      const batch = privateTokens.slice(first, first + CONNECTED_AT_ONCE).map((token, index) => {
        const address = LOCAL_ADDRESSES[(first + index) % LOCAL_ADDRESSES.length]!
        return new PollSocket(port, address, token, randomBytes(16).toString('base64url'))
      })
      await Promise.all(batch.map((socket) => socket.connected()))
      sockets.push(...batch)
    }
  },
  /** Sends one poll for each page. */
  poll(): void {
    answers = Promise.all(sockets.map((socket) => socket.poll()))
    // `received` is where a failure is told.
    answers.catch(() => {})
  },
  async received(text: string): Promise<Received> {
    const all = await answers
    return {
      complete: all.filter((answer) => hasOnly(answer, text)).length,
      lastByteAtMs: performance.timeOrigin + Math.max(...all.map(({ at }) => at)),
    }
  },
  disconnect(): void {
    for (const socket of sockets) socket.destroy()
    sockets = []
  },
  beginGaps(port: number): void {
    gapReceiver = new GapReceiver(port)
  },
  deliveredInGaps: (): Promise<Delivered[]> => gapReceiver!.delivered(),
}

export type LoadGeneratorTasks = typeof tasks

function hasOnly({ status, body }: Answer, text: string): boolean {
  if (status !== 'HTTP/1.1 200 OK') return false
  const messages = JSON.parse(body) as WireMessage[]
  return messages.length === 1 && messages[0]!.n === 'Bench' && messages[0]!.c === text
}

serveTasks(tasks)
