import type { CometOptions, InitializedCometClient } from 'koa-comet'
import { InProcCometStateProvider } from 'koa-comet/providers/in-proc'
import { openSite, type Site } from '../support/site.ts'
import type { Told } from './exchange.ts'
import { GatedProvider } from './gated-provider.ts'
import { hangingCall } from './hanging-call.ts'
import type { Way } from './transports.ts'

/** Every point of a subscribe request’s way at which something else can happen. */
export const POINTS = [
  'before the request',
  'while its record is loaded',
  'while the app says who it is',
  'while its lease is asked for',
  'while the node catches up',
  'while Koa unwinds',
  'while it is held',
] as const

export type Point = (typeof POINTS)[number]

const CALLS = {
  'while its record is loaded': 'getClient',
  'while its lease is asked for': 'renewLeases',
  'while the node catches up': 'catchUp',
} as const

export interface Asked {
  readonly site: Site
  readonly client: InitializedCometClient
  readonly answer: Promise<Told>
}

/** Sends the first request of a new client, and does something when it has come to a point of its way. */
export async function askThrough(
  { poll }: Way,
  point: Point,
  act: (site: Site, client: InitializedCometClient) => Promise<unknown>,
  options: CometOptions = {},
): Promise<Asked> {
  const gate = new GatedProvider(new InProcCometStateProvider())
  let onIdentify: (() => Promise<unknown>) | undefined
  let onUnwind: (() => Promise<unknown>) | undefined
  const site = await openSite({
    provider: gate,
    options: {
      ...options,
      async identify() {
        await onIdentify?.()
        return null
      },
    },
    before: [
      async (_, next) => {
        await next()
        await onUnwind?.()
      },
    ],
  })
  const client = await site.newClient({ connectionTimeoutSeconds: 3600 })
  const { epoch, messageId } = client.start
  const ahead = point === 'while the node catches up' ? 1_000_000 : 0
  const asking = { cursor: `${epoch}:${messageId + ahead}` }
  const send = (): Promise<Told> => poll(site.url, client.privateToken, asking)
  if (point === 'before the request') {
    await act(site, client)
    return { site, client, answer: send() }
  }
  if (point === 'while the app says who it is' || point === 'while Koa unwinds') {
    const acted = new Promise<void>((resolve) => {
      const once = async (): Promise<void> => {
        onIdentify = undefined
        onUnwind = undefined
        await act(site, client)
        resolve()
      }
      if (point === 'while Koa unwinds') onUnwind = once
      else onIdentify = once
    })
    const answer = send()
    await acted
    return { site, client, answer }
  }
  if (point === 'while it is held') {
    const answer = send()
    await site.holds(1)
    await act(site, client)
    return { site, client, answer }
  }
  const { asked, letGo } = hangingCall(gate, CALLS[point])
  const answer = send()
  await asked
  await act(site, client)
  letGo()
  return { site, client, answer }
}
