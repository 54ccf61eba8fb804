import type { Audience } from '../../lib/audience.ts'
import type { ClusterStore } from './cluster-store.ts'

/** A mistake that a node makes now and then, to see that it is noticed. */
export type Sabotage = 'forgets messages' | 'handles twice' | 'resets' | 'calls pages lost'

export interface OpenOrder {
  readonly port: number
  readonly name: string
  readonly seed: number
  /** What the numbers of its messages begin with: no other process uses them. */
  readonly firstNumber: number
  readonly sabotage?: Sabotage | undefined
}

export interface PublishOrder {
  readonly longestPauseMs: number
  readonly mostAtOnce: number
}

/** A message that is to be sent, by its number. */
export type Draft = readonly [number: number, audience: Audience]

export type ClusterOrder =
  /** Comes first: there is time to load what that needs. */
  | { readonly prepare: ClusterStore }
  | { readonly open: OpenOrder }
  /** The pages that messages may be addressed to, by their public tokens. Nothing is sent before there is one. */
  | { readonly pages: readonly string[] }
  | { readonly publish: PublishOrder }
  | { readonly silence: true }
  /** To be sent, perhaps again: another node was at it, and nobody knows how far it got. */
  | { readonly send: readonly Draft[] }
  | { readonly list: true }
  | { readonly close: { readonly overSeconds: number } }

/** All times are by the machine's clock. */
export type ClusterSaid =
  | { readonly listens: true }
  | { readonly sending: readonly Draft[]; readonly atMs: number }
  /** What has become of them. Those that are in neither list may have been sent, or not. */
  | {
      readonly sent: readonly (readonly [number: number, id: number])[]
      readonly refused: readonly number[]
      readonly atMs: number
    }
  | { readonly silent: true }
  /** The handler of what pages send begins. */
  | { readonly handling: readonly [sender: string, number: number]; readonly atMs: number }
  | { readonly removed: string }
  | { readonly clients: readonly ListedClient[] }
  | { readonly closed: NodeEnd }
  | { readonly trouble: string }

export type ListedClient = readonly [publicToken: string, groups: readonly string[]]

/** How a node went. */
export interface NodeEnd {
  /** How many streams were ended, and how many of them in one turn of the event loop at most. */
  readonly streams: number
  readonly mostAtOnce: number
}

/** What pages send. */
export interface WorkOrder {
  readonly sender: string
  readonly number: number
  readonly workMs: number
}

export const WORK_NAME = 'Work'

/** What its handler gives. */
export function workResult({ sender, number }: Pick<WorkOrder, 'sender' | 'number'>): string {
  return `${sender}:${number}`
}

/** How pages say at each request who they are. */
export const USER_HEADER = 'Page-User'
/** How they say at the first one which group they are in from the start, and how long they may be away. */
export const ROOM_HEADER = 'Page-Room'
export const IDLE_HEADER = 'Page-Idle'

export const USERS = ['ann', 'bob', 'eve', 'joe', 'kim'] as const
export const ROOMS = ['room-1', 'room-2', 'room-3', 'room-4'] as const
