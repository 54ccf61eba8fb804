import { serveTasks } from './child-process.ts'
import { sharedNow } from './process-cost.ts'
import { StreamSocket } from './stream-socket.ts'

/** Thousands of pages with a stream each, in one process. */

/** So many connect at a time: more would be more than the server's backlog. */
const CONNECTED_AT_ONCE = 250

/** Pages of one server and of the other, side by side. */
const sockets = new Map<number, StreamSocket[]>()

const tasks = {
  async open({ port, privateTokens }: { port: number; privateTokens: readonly string[] }): Promise<void> {
    const opened: StreamSocket[] = []
    for (let first = 0; first < privateTokens.length; first += CONNECTED_AT_ONCE) {
      const batch = privateTokens
        .slice(first, first + CONNECTED_AT_ONCE)
        .map((token, index) => new StreamSocket(port, `127.0.0.${(index % 8) + 2}`, token))
      await Promise.all(batch.map((socket) => socket.opened()))
      opened.push(...batch)
    }
    sockets.set(port, opened)
  },
  /** Resolves when each page has got so many messages in all, with the time on the clock that processes share. */
  async received({ port, count }: { port: number; count: number }): Promise<number> {
    await Promise.all(sockets.get(port)!.map((socket) => socket.received(count)))
    return sharedNow()
  },
  close(port: number): void {
    for (const socket of sockets.get(port)!) socket.destroy()
  },
}

export type StreamLoadTasks = typeof tasks

serveTasks(tasks)
