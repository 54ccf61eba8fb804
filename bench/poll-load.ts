import { serveTasks } from './child-process.ts'
import { MARK, MessageCounter } from './message-counter.ts'
import { openPages, type PagePlace, type Pages } from './open-pages.ts'

/** A page that polls. */
export interface PollingPage {
  connected(): Promise<void>
  /** Polls once. Resolves with what the answer says. */
  poll(): Promise<{ readonly status: string; readonly body: string }>
  /** A poll that waits is never answered then. */
  destroy(): void
}

const counter = new MessageCounter()
let pages: PollingPage[] = []

async function keepPolling(page: PollingPage): Promise<never> {
  for (;;) {
    const { status, body } = await page.poll()
    if (status !== 'HTTP/1.1 200 OK') throw new Error(`A poll was answered by ${status}.`)
    counter.add(body.split(MARK).length - 1)
  }
}

function tasksWith(newPage: (place: PagePlace) => PollingPage) {
  return {
    async open(asked: Pages): Promise<void> {
      pages = await openPages(asked, async (place) => {
        const page = newPage(place)
        await page.connected()
        void keepPolling(page)
        return page
      })
    },
    /** Resolves when the pages have got so many messages in all since they were opened. */
    received: (total: number): Promise<void> => counter.received(total),
    close(): void {
      for (const page of pages) page.destroy()
      counter.reset()
    },
  }
}

/** Pages that poll all the time, in one process. */
export function servePollLoad(newPage: (place: PagePlace) => PollingPage): void {
  serveTasks(tasksWith(newPage))
}
