import Router from '@koa/router'
import Koa, { type Context } from 'koa'
import bodyParser from 'koa-bodyparser'
import { type CometClient, CometStateManager } from 'koa-comet'
import { InProcCometStateProvider } from 'koa-comet/providers/in-proc'
import serve from 'koa-static'

/** Nothing invisible, so that no two names look alike. */
const NAME = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]{1,24}$/u
const MAX_TEXT_LENGTH = 2000
const MAX_RECENT_MESSAGES = 100

/** No script, style or picture but from our own files; nothing inline. */
const CONTENT_SECURITY_POLICY =
  "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

/** A channel, the routes of the chat, and its page. Nothing listens yet. */
export function createChat(): { readonly app: Koa; readonly channel: CometStateManager } {
  const channel = new CometStateManager(new InProcCometStateProvider())
  const recent: { readonly id: number; readonly [field: string]: unknown }[] = []
  let announced = Promise.resolve()

  /** Tells everybody who is there. One after the other, so that the last list sent is the newest. */
  function announcePeople(): Promise<void> {
    const announce = async (): Promise<void> => void (await channel.sendMessage('People', await people()))
    announced = announced.then(announce, announce)
    return announced
  }

  async function people(): Promise<{ publicToken: string; name: string }[]> {
    const list = []
    for await (const { publicToken, displayName: name } of channel.getClients())
      list.push({ publicToken, name })
    return list.sort((a, b) => a.name.localeCompare(b.name))
  }

  /** Who sends this request: the page shows the private token of its client. */
  function senderOf(ctx: Context): Promise<CometClient> {
    return channel.getCometClient(ctx.get('Authorization').replace(/^Bearer /, ''))
  }

  const routes = new Router()

  routes.post('/login', async (ctx) => {
    const name = textOf(ctx, 'name').normalize('NFC')
    if (!NAME.test(name)) ctx.throw(400, 'A name has 1 to 24 letters, digits or signs.')
    // Refused with COMET_CLIENT_ALREADY_EXISTS, as status 409, if somebody of that name is there.
    const client = await channel.initializeClient({ publicToken: name.toLowerCase(), displayName: name })
    ctx.body = { name, publicToken: client.publicToken, privateToken: client.privateToken }
  })

  routes.post('/messages', async (ctx) => {
    const { publicToken, displayName: name } = await senderOf(ctx)
    const text = textOf(ctx, 'text')
    if (!text || text.length > MAX_TEXT_LENGTH)
      ctx.throw(400, `A message has 1 to ${MAX_TEXT_LENGTH} characters.`)
    const message = { publicToken, name, text, at: Date.now() }
    // A page that got no answer sends again with the same key: that sends nothing twice.
    const key = textOf(ctx, 'key')
    const id = await channel.sendMessage('ChatMessage', message, key ? { key: `${publicToken} ${key}` } : {})
    if (!recent.some((known) => known.id === id)) recent.push({ id, ...message })
    if (recent.length > MAX_RECENT_MESSAGES) recent.shift()
    ctx.status = 204
  })

  // What a page shows before its first message, and loads anew when it was told of a reset.
  routes.get('/room', async (ctx) => {
    await senderOf(ctx)
    // Taken first: what changes from here on comes through the channel, with higher ids.
    const { messageId: asOf } = channel.cursor()
    ctx.body = { asOf, people: await people(), messages: recent }
  })

  routes.post('/logout', async (ctx) => {
    const { publicToken } = await senderOf(ctx)
    await channel.stopClient(publicToken)
    ctx.status = 204
  })

  channel.on('clientInitialized', announcePeople)
  channel.on('clientDisconnected', announcePeople)

  const app = new Koa()
  app.use(async function protectPage(ctx, next) {
    ctx.set({ 'Content-Security-Policy': CONTENT_SECURITY_POLICY, 'X-Content-Type-Options': 'nosniff' })
    await next()
  })
  app.use(channel.mount('/comet'))
  app.use(bodyParser({ enableTypes: ['json'], jsonLimit: '16kb' }))
  app.use(routes.routes())
  app.use(serve('samples/chat/public'))
  return { app, channel }
}

function textOf(ctx: Context, field: string): string {
  const value = (ctx.request.body as Record<string, unknown> | undefined)?.[field]
  return typeof value === 'string' ? value.trim() : ''
}
