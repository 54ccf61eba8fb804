import Router from '@koa/router'
import Koa, { type Context } from 'koa'
import bodyParser from 'koa-bodyparser'
import { type CometClient, CometStateManager, type ICometStateProvider } from 'koa-comet'
import serve from 'koa-static'
import { pageFolder } from '../page-folder.ts'
import { Messages } from './messages.ts'

/** Nothing invisible, so that no two names look alike. */
const NAME = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]{1,24}$/u
const MAX_TEXT_LENGTH = 2000

/** No script, style or picture but from our own files; nothing inline. */
const CONTENT_SECURITY_POLICY =
  "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

export interface Chat {
  readonly app: Koa
  readonly channel: CometStateManager
  /** To be closed after the channel. */
  readonly messages: Messages
}

/**
 * A channel, the routes of the chat, and its page. Nothing listens yet.
 *
 * @param provider where the channel is kept
 * @param fileName where what was said is kept: the provider's own file, or `':memory:'` if it has none
 */
export async function createChat(provider: ICometStateProvider, fileName: string): Promise<Chat> {
  const channel = new CometStateManager(provider)
  // First, so that a file that is new is for its owner alone.
  await channel.open()
  const messages = new Messages(fileName)
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
    // A page that got no answer sends again with the same key: that sends nothing twice.
    const key = `${publicToken} ${textOf(ctx, 'key')}`
    let sent: Promise<number> | undefined
    messages.add({ publicToken, name, text, at: Date.now() }, key, (message, transaction) => {
      const within = provider.supports.transactions ? { transaction } : {}
      sent = channel.sendMessage('ChatMessage', message, { key, ...within })
    })
    await sent
    ctx.status = 204
  })

  // What a page shows before its first message, and loads anew when it was told of a reset.
  routes.get('/room', async (ctx) => {
    await senderOf(ctx)
    // Taken first: what changes from here on comes through the channel, with higher ids.
    const { messageId: asOf } = channel.cursor()
    ctx.body = { asOf, people: await people(), messages: messages.recent() }
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
  app.use(serve(pageFolder(import.meta.dirname)))
  return { app, channel, messages }
}

function textOf(ctx: Context, field: string): string {
  const value = (ctx.request.body as Record<string, unknown> | undefined)?.[field]
  return typeof value === 'string' ? value.trim() : ''
}
