import { serveTasks } from './child-process.ts'
import { MessageCounter } from './message-counter.ts'
import { openPages, type PagePlace, type Pages } from './open-pages.ts'

/** A page with a stream. */
export interface StreamPage {
  /** How many messages it has got, as the page that it continues too. */
  readonly count: number
  /** Resolves when the stream is open. */
  opened(): Promise<void>
  destroy(): void
}

/**
 * Makes a page, which connects.
 *
 * @param got is told of each part that comes how many messages are in it
 * @param before the page that was dropped, which this one continues
 */
export type NewStreamPage<P extends StreamPage> = (
  place: PagePlace,
  got: (messages: number) => void,
  before?: P,
) => P

function tasksWith<P extends StreamPage>(newPage: NewStreamPage<P>) {
  const counter = new MessageCounter()
  const got = (messages: number): void => counter.add(messages)
  let asked: Pages
  let pages: P[] = []
  const openAll = async (before: readonly P[]): Promise<void> => {
    pages = await openPages(asked, async (place, index) => {
      const page = newPage(place, got, before[index])
      await page.opened()
      return page
    })
  }
  return {
    open(those: Pages): Promise<void> {
      asked = those
      counter.reset()
      return openAll([])
    },
    /** Resolves when the pages have got so many messages in all since they were opened, and each as many. */
    async received(total: number): Promise<void> {
      await counter.received(total)
      const other = pages.find(({ count }) => count !== total / pages.length)
      if (other) throw new Error(`A page got ${other.count} of ${total} messages to ${pages.length} pages.`)
    },
    close(): void {
      for (const page of pages) page.destroy()
    },
    /** All come again from where they were. */
    resume: (): Promise<void> => openAll(pages),
  }
}

/** Pages with a stream each, in one process. */
export function serveStreamLoad<P extends StreamPage>(newPage: NewStreamPage<P>): void {
  serveTasks(tasksWith(newPage))
}
