import Router from '@koa/router'
import Koa from 'koa'
import bodyParser from 'koa-bodyparser'
import { CometStateManager, type ICometStateProvider } from 'koa-comet'
import serve from 'koa-static'
import { pageFolder } from '../page-folder.ts'
import { Messages } from './messages.ts'
import { canonical, isName } from './names.ts'
import { type ChatChannel, letTalk } from './talk.ts'

/** No script, style or picture but from our own files; nothing inline. */
const CONTENT_SECURITY_POLICY =
  "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

export interface Chat {
  readonly app: Koa
  readonly channel: ChatChannel
  /** To be closed after the channel. */
  readonly messages: Messages
}

/**
 * A channel, the login of the chat, and its page. Nothing listens yet.
 *
 * @param provider where the channel is kept
 * @param fileName where what was said is kept: the provider's own file, or `':memory:'` if it has none
 */
export async function createChat(provider: ICometStateProvider, fileName: string): Promise<Chat> {
  // After a crash it takes that long until a page that was sending something is told that nobody knows its outcome.
  const channel: ChatChannel = new CometStateManager(provider, { presence: true, handlerTimeoutSeconds: 5 })
  // First, so that a file that is new is for its owner alone.
  await channel.open()
  const messages = new Messages(fileName)
  letTalk(channel, provider, messages)

  const routes = new Router()

  routes.post('/login', async (ctx) => {
    const given = (ctx.request.body as { name?: unknown } | undefined)?.name
    const name = typeof given === 'string' ? given.trim().normalize('NFC') : ''
    if (!isName(name)) ctx.throw(400, 'A name has 1 to 24 letters, digits or signs.')
    // Refused with COMET_CLIENT_ALREADY_EXISTS, as status 409, if somebody of that name is there.
    const client = await channel.initializeClient({ publicToken: canonical(name), displayName: name })
    ctx.body = { name, publicToken: client.publicToken, privateToken: client.privateToken }
  })

  routes.post('/logout', async (ctx) => {
    // Whose it is: the page shows the private token of its client.
    const client = await channel.getCometClient(ctx.get('Authorization').replace(/^Bearer /, ''))
    await channel.stopClient(client.publicToken)
    ctx.status = 204
  })

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
