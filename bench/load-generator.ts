import { randomBytes } from 'node:crypto'
import type { WireMessage } from '../lib/wire.ts'
import { serveTasks } from './child-process.ts'
import { type Delivered, GapReceiver } from './gap-receiver.ts'
import type { Answer } from './http-socket.ts'
import { openPages, type Pages } from './open-pages.ts'
import { PollSocket } from './poll-socket.ts'

/** Thousands of pages in one process. */

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
  async connect(pages: Pages): Promise<void> {
    sockets = await openPages(pages, async ({ port, localAddress, privateToken }) => {
      const page = randomBytes(16).toString('base64url')
      const socket = new PollSocket(port, localAddress, privateToken, page)
      await socket.connected()
      return socket
    })
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
