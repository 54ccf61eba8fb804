import { randomInt } from 'node:crypto'
import Koa from 'koa'
import { CometRefusal, CometStateManager, type ICometStateProvider } from 'koa-comet'
import serve from 'koa-static'
import { pageFolder } from '../page-folder.ts'
import type { Messages, NumberedLine, Requests } from './messages.ts'

/** The group of all pages: they are told who else is there. */
const EVERYBODY = 'everybody'

const CONTENT_SECURITY_POLICY =
  "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

/** Whoever asked has gone, or has closed its connection at the last byte, as the proxy does. */
const WENT_AWAY = ['ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE']

export interface ClusterApp {
  readonly app: Koa
  readonly channel: CometStateManager<Messages, Requests>
}

/**
 * The app of one node, the same on all. Any of them answers any request of any page. Nothing listens yet.
 *
 * @param provider where the channel is kept: a place that all nodes share
 * @param node how this one is called in what the page shows
 */
export function createClusterApp(provider: ICometStateProvider, node: string): ClusterApp {
  const channel = new CometStateManager<Messages, Requests>(provider, {
    register: () => ({ displayName: `Page ${randomInt(1000, 10_000)}`, groups: [EVERYBODY] }),
    presence: true,
    clientList: (_, group) => group === EVERYBODY,
    // When a node dies amid a handler, it takes that long until the page is told that nobody knows the outcome.
    handlerTimeoutSeconds: 5,
  })

  channel.onMessage('Say', async (contents, { client }) => {
    const { series, number } = lineOf(contents)
    const line = { series, number, by: client.displayName, node }
    // The page may send it again, if a node died in the midst of it. With the same key it is sent once.
    await channel.sendMessage('Line', line, { key: `${client.publicToken} ${series} ${number}` })
    return null
  })

  const app = new Koa()
  app.on('error', (error: NodeJS.ErrnoException) => {
    if (!WENT_AWAY.includes(error.code ?? '')) app.onerror(error)
  })
  app.use(async function nameNode(ctx, next) {
    ctx.set('Sample-Node', node)
    await next()
  })
  app.use(async function protectPage(ctx, next) {
    ctx.set({ 'Content-Security-Policy': CONTENT_SECURITY_POLICY, 'X-Content-Type-Options': 'nosniff' })
    await next()
  })
  app.use(channel.mount('/comet'))
  app.use(serve(pageFolder(import.meta.dirname)))
  return { app, channel }
}

/** Pages may send anything, whatever its type says. */
function lineOf(contents: Requests['Say']['contents']): NumberedLine {
  const { series, number }: { series?: unknown; number?: unknown } = contents ?? {}
  const isLine = typeof series === 'string' && /^[\d-]{8,64}$/.test(series) && Number.isSafeInteger(number)
  if (isLine) return { series, number: number as number }
  throw new CometRefusal('LINE_IS_INVALID', 'A line has a series of 8 to 64 digits, and a number.')
}
