import type { Middleware } from 'koa'
import { InProcCometStateProvider } from 'koa-comet/providers/in-proc'
import type { WireMessage } from '../../lib/wire.ts'
import { eventually } from '../support/eventually.ts'
import { GatedProvider } from '../support/gated-provider.ts'
import { serveLocally } from '../support/local-socket.ts'
import { countTo } from '../support/raw-page.ts'
import { ResponseWitness } from '../support/response-witness.ts'
import { openSite, type Site } from '../support/site.ts'
import { StallingReader } from '../support/stalling-reader.ts'

/** A channel with one stream that is open, and what its page has been told. */
export interface Streaming extends Site {
  readonly gate: GatedProvider
  readonly witness: ResponseWitness
  readonly reader: StallingReader
  readonly told: WireMessage[]
  readonly publicToken: string
  readonly privateToken: string
  /** Opens another stream of the client. */
  open(page: string, cursor?: string): StallingReader
  publish(count: number): Promise<void>
  /** How many were published. */
  published(): number
  /** How many of its requests were served. */
  subscribed(): number
  /** Lets Koa unwind. */
  unwind(): void
  /** Ends what the test has opened beside the site. */
  end(): Promise<void>
}

/** What the stream's page calls itself. */
export const PAGE = 'page-1'

const PADDING = 'x'.repeat(10_000)

/** What has happened to a stream before. */
export const MOMENTS = [
  'that is quiet',
  'that has been woken',
  'while its reader stalls',
  'while Koa unwinds',
] as const

export type Moment = (typeof MOMENTS)[number]

export async function openStreaming(moment: Moment): Promise<Streaming> {
  const witness = new ResponseWitness()
  const gate = new GatedProvider(new InProcCometStateProvider())
  const session = new SlowSession()
  const site = await openSite({
    provider: gate,
    options: { retention: { seconds: 3600 } },
    before: [witness.middleware, session.middleware],
  })
  const local = await serveLocally(site.served.app)
  const { publicToken, privateToken } = await site.newClient()
  const readers: StallingReader[] = []
  const told: WireMessage[] = []
  let [lastSeen, subscribed, published] = [0, 0, 0]
  site.channel.on('clientSubscribed', () => {
    subscribed += 1
  })
  // As a page does it: what it has seen it drops.
  const take = (message: WireMessage): void => {
    if (message.n !== 'M' || message.mid > lastSeen) told.push(message)
    if (message.n === 'M') lastSeen = Math.max(lastSeen, message.mid)
  }
  const open = (page: string, cursor?: string, isStalled = false, more = {}): StallingReader => {
    const headers = { 'Comet-Page': page, ...more }
    const reader = new StallingReader(local.where, privateToken, take, { cursor, isStalled, headers })
    readers.push(reader)
    return reader
  }
  const publish = async (count: number): Promise<void> => {
    for (const _ of countTo(count)) {
      published += 1
      await site.channel.sendMessage('M', { index: published, PADDING })
    }
  }
  const isSlow = moment === 'while Koa unwinds'
  const reader = open(
    `${PAGE};new`,
    undefined,
    moment === 'while its reader stalls',
    isSlow ? { 'X-Slow': '1' } : {},
  )
  await site.holds(1)
  if (isSlow) await eventually(() => session.isUnwinding)
  else if (moment !== 'while its reader stalls') await eventually(() => told.length > 0)
  if (moment !== 'that is quiet') await publish(moment === 'while its reader stalls' ? 60 : 1)
  if (moment === 'while its reader stalls')
    await eventually(() => witness.responses[0]!.socket!.writableNeedDrain)
  return {
    ...site,
    gate,
    witness,
    reader,
    told,
    publicToken,
    privateToken,
    open,
    publish,
    published: () => published,
    subscribed: () => subscribed,
    unwind: () => session.unwind(),
    async end() {
      for (const each of readers) await each.close()
      await local.close()
    },
  }
}

/** As an asynchronous store of sessions does it: a while later there is a cookie. */
class SlowSession {
  #unwind: (() => void) | undefined

  readonly middleware: Middleware = async (ctx, next) => {
    await next()
    if (ctx.get('X-Slow') !== '') {
      await new Promise<void>((resolve) => {
        this.#unwind = resolve
      })
    }
    ctx.cookies.set('session', 'saved')
  }

  get isUnwinding(): boolean {
    return this.#unwind !== undefined
  }

  unwind(): void {
    this.#unwind?.()
  }
}
