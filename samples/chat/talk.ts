import {
  type Audience,
  type CometClient,
  CometRefusal,
  type CometStateManager,
  type ICometStateProvider,
  type PublicCometClient,
  publicPartOf,
} from 'koa-comet'
import type { Message, Messages, NewMessage } from './messages.ts'
import { canonical, isName } from './names.ts'

/** What pages send. Nobody has checked the contents. */
export interface Requests {
  /** `{ room }` */
  Enter: { contents: unknown; result: Entered }
  /** `{ room, text, key }`: with the same key it is said once. */
  Say: { contents: unknown; result: Message }
}

export interface Entered {
  /** Notices of presence with an id above come on top of `people`. */
  readonly asOf: number
  readonly people: readonly PublicCometClient[]
  readonly messages: readonly Message[]
}

export type ChatChannel = CometStateManager<{ ChatMessage: Message }, Requests>

/** Whom something is said to, and what of it is kept. */
interface Addressed {
  readonly audience: Audience
  readonly kept: Pick<NewMessage, 'text' | 'room' | 'toName' | 'fromClient' | 'toClient'>
}

const MAX_TEXT_LENGTH = 2000

/** Has the channel let pages enter a room, and say something. A room is a group: there as long as somebody is in it. */
export function letTalk(channel: ChatChannel, provider: ICometStateProvider, messages: Messages): void {
  channel.onMessage('Enter', async (contents, { client }) => {
    const room = roomOf(contents)
    const { publicToken, groups, generation } = client
    for (const group of groups) if (group !== room) await channel.leaveGroup(publicToken, group)
    await channel.joinGroup(publicToken, room)
    // Taken first: what changes from here on comes through the channel, with higher ids.
    const { messageId: asOf } = channel.cursor()
    const people = []
    for await (const member of channel.getClients({ group: room })) people.push(publicPartOf(member))
    return { asOf, people, messages: messages.recent(room, generation) }
  })

  channel.onMessage('Say', async (contents, { client }) => {
    const { publicToken, displayName: name } = client
    const { audience, kept } = await addressed(roomOf(contents), textOf(contents), client)
    const message = { key: keyOf(contents), publicToken, name, at: Date.now(), ...kept }
    const key = `${publicToken} ${message.key}`
    return messages.add(message, (told, transaction) => {
      const within = provider.supports.transactions ? { transaction } : {}
      return channel.sendMessage('ChatMessage', told, { ...audience, key, ...within })
    })
  })

  async function addressed(room: string, text: string, client: CometClient): Promise<Addressed> {
    const nobody = { toName: null, fromClient: null, toClient: null }
    const announced = /^\/announce(?:\s+(.*))?$/s.exec(text)
    if (announced) return { audience: {}, kept: { text: notEmpty(announced[1]), room: null, ...nobody } }
    if (!/^@\S/.test(text)) return { audience: { group: room }, kept: { text, room, ...nobody } }
    const { person, rest } = await personIn(text.slice(1))
    const { publicToken, displayName: toName, generation: toClient } = person
    return {
      audience: { to: [publicToken, client.publicToken] },
      kept: { text: notEmpty(rest), room: null, toName, fromClient: client.generation, toClient },
    }
  }

  /** Who is named at the beginning. Names have spaces, so that it is the longest one that somebody has. */
  async function personIn(text: string): Promise<{ person: CometClient; rest: string }> {
    const names = [...text.matchAll(/\s|$/g)].map(({ index }) => text.slice(0, index)).filter(isName)
    const rests = new Map(names.map((name) => [canonical(name), text.slice(name.length).trim()]))
    const found = []
    for await (const client of channel.getClients({ to: [...rests.keys()] })) found.push(client)
    const [person] = found.sort((a, b) => b.publicToken.length - a.publicToken.length)
    if (person) return { person, rest: rests.get(person.publicToken) ?? '' }
    throw new CometRefusal('NO_SUCH_PERSON', `Nobody here is called “${text.split(/\s/, 1)}”.`)
  }
}

function roomOf(contents: unknown): string {
  const room = canonical(field(contents, 'room'))
  if (isName(room)) return room
  throw new CometRefusal('ROOM_IS_INVALID', 'The name of a room has 1 to 24 letters, digits or signs.')
}

function textOf(contents: unknown): string {
  const text = notEmpty(field(contents, 'text').trim())
  if (text.length <= MAX_TEXT_LENGTH) return text
  throw new CometRefusal('TEXT_IS_TOO_LONG', `A message has at most ${MAX_TEXT_LENGTH} characters.`)
}

function keyOf(contents: unknown): string {
  const key = field(contents, 'key')
  if (/^[\d-]{8,64}$/.test(key)) return key
  throw new CometRefusal('KEY_IS_INVALID', 'The key of a message has 8 to 64 digits.')
}

function notEmpty(text = ''): string {
  if (text) return text
  throw new CometRefusal('TEXT_IS_EMPTY', 'There is no message in it.')
}

function field(contents: unknown, name: string): string {
  const value = (contents as Record<string, unknown> | null)?.[name]
  return typeof value === 'string' ? value : ''
}
