import { serveTasks } from './child-process.ts'

/** A page that polls. */
export interface PollingPage {
  connected(): Promise<void>
  /** Polls once. Resolves with what the answer says. */
  poll(): Promise<{ readonly status: string; readonly body: string }>
}

/** Each message of the benchmark has this in it, once. */
const MARK = /"n":"Bench"/g

let count = 0
let awaited = Number.POSITIVE_INFINITY
let resolve: (() => void) | undefined

async function keepPolling(page: PollingPage): Promise<never> {
  for (;;) {
    const { status, body } = await page.poll()
    if (status !== 'HTTP/1.1 200 OK') throw new Error(`A poll was answered by ${status}.`)
    count += body.match(MARK)?.length ?? 0
    look()
  }
}

function look(): void {
  if (count > awaited) throw new Error(`${count} messages came, where ${awaited} were sent.`)
  if (count < awaited) return
  // The next ones may come before they are asked for.
  awaited = Number.POSITIVE_INFINITY
  resolve?.()
}

function tasksWith(newPage: (port: number, localAddress: string, privateToken: string) => PollingPage) {
  return {
    async open({ port, privateTokens }: { port: number; privateTokens: readonly string[] }): Promise<void> {
      for (const [index, token] of privateTokens.entries()) {
        // One address has about 28,000 ports, and a closed connection keeps its own for a minute.
        const page = newPage(port, `127.0.0.${(index % 8) + 2}`, token)
        await page.connected()
        void keepPolling(page)
      }
    },
    /** Resolves when the pages have got so many messages in all. */
    received(total: number): Promise<void> {
      return new Promise((received) => {
        awaited = total
        resolve = received
        look()
      })
    },
  }
}

export type PollLoadTasks = ReturnType<typeof tasksWith>

/** Pages that poll all the time, in one process. */
export function servePollLoad(
  newPage: (port: number, localAddress: string, privateToken: string) => PollingPage,
): void {
  serveTasks(tasksWith(newPage))
}
