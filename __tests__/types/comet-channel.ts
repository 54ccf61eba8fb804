// What the compiler must say of typed channels of pages. Checked by every `tsc`, and never run: a line that should not
// compile and does is an error, too.
import { type ClientsAnswer, CometChannel } from 'koa-comet/client'

interface Messages {
  Time: string
  Chat: { from: string; text: string }
}

interface Requests {
  Say: { contents: { text: string }; result: number }
  Leave: { contents: undefined; result: { score: number } | null }
  Ping: { contents?: undefined }
  Rename: { contents: { name?: string } }
}

/** Whether the two are the same type: neither wider nor narrower. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Compiles only if the value has this very type. */
function expectType<Expected>(): <Given>(
  given: Given,
  ...same: Same<Given, Expected> extends true ? [] : [never]
) => void {
  return () => {}
}

export async function requestsAreTyped(channel: CometChannel<Messages, Requests>): Promise<void> {
  expectType<number>()(await channel.send('Say', { text: 'hello' }))
  expectType<{ score: number } | null>()(await channel.send('Leave'))
  expectType<{ score: number } | null>()(await channel.send('Leave', undefined))
  // Without a result of its own.
  expectType<unknown>()(await channel.send('Ping'))
  expectType<unknown>()(await channel.send('Rename', {}))
  // @ts-expect-error: the result is a number
  expectType<string>()(await channel.send('Say', { text: 'hello' }))
  // @ts-expect-error: no such request
  void channel.send('Shout', { text: 'hello' })
  // @ts-expect-error: a message from the server is no request
  void channel.send('Time', 'now')
  // @ts-expect-error: the text is missing
  void channel.send('Say', {})
  // @ts-expect-error: the contents are missing
  void channel.send('Say')
  // @ts-expect-error: the text is no number
  void channel.send('Say', { text: 7 })
  // @ts-expect-error: contents that the request has not
  void channel.send('Leave', 'now')
  // @ts-expect-error: there is no third argument
  void channel.send('Say', { text: 'hello' }, 7)
}

export function messagesAreTyped(channel: CometChannel<Messages, Requests>): void {
  channel.on('Time', (contents) => expectType<string>()(contents))
  channel.on('Chat', ({ from }, { mid }) => {
    expectType<string>()(from)
    expectType<number>()(mid)
  })
  // @ts-expect-error: no such message
  channel.on('Tim', () => {})
  // @ts-expect-error: a request is no message
  channel.on('Say', () => {})
  // @ts-expect-error: the contents are a string
  channel.on('Time', ({ from }) => from)
}

export function noticesOfPresenceAreTyped(
  channel: CometChannel<Messages, Requests>,
  untyped: CometChannel,
): void {
  channel.on('aspNetComet.join', ({ group, client }) => {
    expectType<string>()(group)
    expectType<string>()(client.displayName)
    expectType<unknown>()(client.data)
  })
  channel.on('aspNetComet.leave', ({ group }) => expectType<string>()(group))
  channel.on('aspNetComet.update', ({ client }) => expectType<string>()(client.publicToken))
  untyped.on('aspNetComet.join', ({ group }) => expectType<string>()(group))
  // @ts-expect-error: an update is of no group
  channel.on('aspNetComet.update', ({ group }) => group)
  // @ts-expect-error: no such notice
  channel.on('aspNetComet.joined', () => {})
}

export async function anythingGoesWithoutTypes(channel: CometChannel): Promise<void> {
  expectType<unknown>()(await channel.send('Anything', { at: 'all' }))
  expectType<unknown>()(await channel.send('Anything'))
  channel.on('Anything', (contents) => expectType<unknown>()(contents))
  // @ts-expect-error: a name is text
  void channel.send(7)
}

export async function messagesAloneMayBeTyped(channel: CometChannel<Messages>): Promise<void> {
  expectType<unknown>()(await channel.send('Anything', 7))
  // @ts-expect-error: no such message
  channel.on('Tim', () => {})
}

export async function groupsAreTyped(channel: CometChannel): Promise<void> {
  expectType<void>()(await channel.joinGroup('room'))
  expectType<void>()(await channel.leaveGroup('room'))
  expectType<ClientsAnswer>()(await channel.getClients('room'))
  expectType<ClientsAnswer>()(await channel.getClients())
  // @ts-expect-error: one group at a time
  void channel.joinGroup(['one', 'two'])
}

export function aTypedChannelIsMadeLikeAnother(): CometChannel<Messages, Requests> {
  return new CometChannel<Messages, Requests>('/comet', null, 'default', { transports: ['streaming'] })
}
