import { createServer } from 'node:http'
import Koa from 'koa'
import { CometStateManager } from 'koa-comet'
import { SqliteCometStateProvider } from 'koa-comet/providers/sqlite'
import { serveTasks } from './child-process.ts'
import { costOf, type Round, type RoundCost, withFile } from './commit-round.ts'
import { listening } from './listening.ts'
import { countStatements } from './statement-counter.ts'

/** A channel on SQLite: publishers that each wait for their message to be stored, and pages that poll. */

const PAGES = 10

/** What goes by the clock would count as done by polls: the look at the file, and the sweep. */
class QuietProvider extends SqliteCometStateProvider {
  constructor(file: string) {
    super(file, { followMs: 60_000 })
  }

  override async removeExpired(): Promise<[]> {
    return []
  }
}

const tasks = {
  round({ publishers, messages, text }: Round): Promise<RoundCost> {
    return withFile(async (file) => {
      const channel = new CometStateManager(new SqliteCometStateProvider(file))
      await channel.open()
      const publish = async (): Promise<void> => {
        for (let sent = 0; sent < messages; sent += publishers) await channel.sendMessage('Bench', text)
      }
      const cost = await costOf(messages, () => Promise.all(Array.from({ length: publishers }, publish)))
      await channel.close()
      return cost
    })
  },
  /** How many SQL statements polls take that find nothing new, and one send. */
  statements(polls: number): Promise<{ ofPolls: number; ofOneSend: number }> {
    return withFile(async (file) => {
      const channel = new CometStateManager(new QuietProvider(file))
      const server = createServer(new Koa().use(channel.mount('/comet')).callback())
      const url = `http://127.0.0.1:${await listening(server)}/comet`
      const pages = []
      for (let number = 0; number < PAGES; number++) {
        const { privateToken } = await channel.initializeClient({ publicToken: `page-${number}` })
        pages.push(new Page(url, privateToken))
      }
      // The first poll of a page reads its client.
      for (const page of pages) await page.poll()
      const count = countStatements()
      for (let polled = 0; polled < polls; polled++) await pages[polled % PAGES]!.poll()
      const ofPolls = count()
      await channel.sendMessage('Bench', 'counted')
      const ofOneSend = count() - ofPolls
      server.close()
      server.closeAllConnections()
      await channel.close()
      return { ofPolls, ofOneSend }
    })
  },
}

/** Polls without being held. */
class Page {
  readonly #url: string
  readonly #headers: Record<string, string>

  constructor(url: string, privateToken: string) {
    this.#url = url
    this.#headers = { Authorization: `Bearer ${privateToken}`, Prefer: 'wait=0' }
  }

  async poll(): Promise<void> {
    const answer = await fetch(this.#url, { headers: this.#headers })
    const [message, ...others] = (await answer.json()) as { n: string }[]
    if (message?.n !== 'aspNetComet.timeout' || others.length > 0) {
      throw new Error(`The poll was not answered with nothing: ${answer.status} ${message?.n}.`)
    }
    this.#headers['Last-Event-ID'] = answer.headers.get('Comet-Cursor')!
  }
}

export type ChannelCommitsTasks = typeof tasks

serveTasks(tasks)
