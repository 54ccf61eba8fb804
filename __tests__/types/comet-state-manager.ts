// What the compiler must say of typed channels of the server. Checked by every `tsc`, and never run: a line that should
// not compile and does is an error, too.
import type { Context, DefaultContext, DefaultState, ParameterizedContext } from 'koa'
import { CometRefusal, CometStateManager, type ICometStateProvider } from 'koa-comet'
import * as v from 'valibot'
import { z } from 'zod'

interface Messages {
  Time: string
  Chat: { from: string; text: string }
  Ended: undefined
}

interface Requests {
  Say: { contents: { text: string }; result: number }
  Leave: { contents: undefined; result: { score: number } | null }
  Ping: { contents?: undefined }
}

/** What an app's own middleware puts into the context. */
interface Login {
  login: { userId: string }
}

type AppContext = ParameterizedContext<DefaultState, DefaultContext & Login>

/** Whether the two are the same type: neither wider nor narrower. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Compiles only if the value has this very type. */
function expectType<Expected>(): <Given>(
  given: Given,
  ...same: Same<Given, Expected> extends true ? [] : [never]
) => void {
  return () => {}
}

type Channel = CometStateManager<Messages, Requests, AppContext>

export async function messagesAreTyped(channel: Channel): Promise<void> {
  expectType<number>()(await channel.sendMessage('Time', 'now'))
  await channel.sendMessage('Chat', { from: 'ann', text: 'hello' }, { group: 'room', except: ['ann'] })
  await channel.sendMessage('Ended')
  await channel.sendMessage('Ended', undefined, { user: 'ann' })
  // @ts-expect-error: no such message
  await channel.sendMessage('Tim', 'now')
  // @ts-expect-error: a request of pages is no message
  await channel.sendMessage('Say', { text: 'hello' })
  // @ts-expect-error: the contents are missing
  await channel.sendMessage('Time')
  // @ts-expect-error: the text is missing
  await channel.sendMessage('Chat', { from: 'ann' })
  // @ts-expect-error: no such address
  await channel.sendMessage('Time', 'now', { room: 'a' })
}

export function handlersAreTyped(channel: Channel): void {
  channel.onMessage('Say', ({ text }, { client, ctx, signal }) => {
    expectType<string>()(text)
    expectType<string>()(client.publicToken)
    expectType<string>()(ctx.login.userId)
    expectType<boolean>()(signal.aborted)
    return text.length
  })
  channel.onMessage('Leave', async () => null)
  channel.onMessage('Ping', () => {})
  channel.onMessage('Leave', () => {
    throw new CometRefusal('NOT_NOW', 'Later.', { at: 7 })
  })
  // @ts-expect-error: no such request
  channel.onMessage('Shout', () => 1)
  // @ts-expect-error: the result is a number
  channel.onMessage('Say', () => 'one')
  // @ts-expect-error: there is a result
  channel.onMessage('Say', () => {})
}

export function schemasGiveTheContents(channel: Channel, untyped: CometStateManager): void {
  channel.onMessage('Say', ({ text }) => text.length, { schema: z.object({ text: z.string() }) })
  untyped.onMessage('Anything', ({ at }) => expectType<Date>()(at), {
    schema: v.object({ at: v.pipe(v.string(), v.toDate()) }),
  })
  // @ts-expect-error: the schema lets something else through than the request has
  channel.onMessage('Say', () => 1, { schema: z.object({ text: z.number() }) })
  // @ts-expect-error: not a schema
  channel.onMessage('Say', () => 1, { schema: { text: 'string' } })
}

export function untypedContentsHaveToBeChecked(channel: CometStateManager): void {
  void channel.sendMessage('Anything', { at: 'all' })
  void channel.sendMessage('Anything')
  channel.onMessage('Anything', (contents, { ctx }) => {
    expectType<unknown>()(contents)
    expectType<string>()(ctx.path)
    return contents
  })
  // @ts-expect-error: contents of a page may be anything
  channel.onMessage('Anything', ({ text }) => text)
}

export function optionsTakeTheContextOfTheApp(provider: ICometStateProvider): void {
  const channel = new CometStateManager<Messages, Requests, AppContext>(provider, {
    register: ({ login }) => ({ publicToken: login.userId }),
    identify: async ({ login }) => login.userId,
    session: ({ login }) => login.userId,
    authorize: ({ login }, action) => action.kind !== 'send' || action.name === login.userId,
  })
  channel.mount('/comet')
  new CometStateManager(provider, { identify: (ctx: Context) => ctx.path })
}
