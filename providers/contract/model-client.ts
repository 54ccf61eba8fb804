import { type CometClient, publicPartOf } from '../../lib/comet-client.ts'
import type { ClientRecord } from '../../lib/comet-state-provider.ts'
import { groupsOf, type MembershipRecord } from '../../lib/memberships.ts'
import { clientTopic, EVERYBODY, groupTopic, sessionTopic, userTopic } from '../../lib/topics.ts'

/** Who has, or had, a public token. */
export interface Bearer {
  readonly generation: number
  readonly privateTokenHash: string
}

/** A client as the model knows it. Never changed, only replaced, so that models can share it. */
export interface ModelClient extends Bearer, MembershipRecord {
  readonly publicToken: string
  readonly displayName: string
  readonly data: unknown
  readonly userId: string | undefined
  readonly sessionId: string | undefined
  readonly holder: string | undefined
  readonly acknowledgedId: number | undefined
  readonly expiresAtSeconds: number
  readonly goodbye: boolean
}

/** Whether one of the topics addresses it. */
export function isAddressed(client: ModelClient, topics: readonly string[]): boolean {
  const { publicToken, userId, sessionId } = client
  const own = [EVERYBODY, clientTopic(publicToken), ...groupsOf(client).map(groupTopic)]
  if (userId !== undefined) own.push(userTopic(userId))
  if (sessionId !== undefined) own.push(sessionTopic(sessionId))
  return own.some((topic) => topics.includes(topic))
}

/** Whether what a provider tells of a client is what the model knows of it. */
export function isSameClient(told: CometClient, known: ModelClient): boolean {
  return (
    told.generation === known.generation &&
    told.userId === known.userId &&
    told.sessionId === known.sessionId &&
    text([publicPartOf(told), told.groups]) === text([publicPartOf(known), groupsOf(known)])
  )
}

export function isSameRecord(found: ClientRecord, known: ModelClient): boolean {
  return (
    isSameClient(found.client, known) &&
    found.holder === known.holder &&
    found.acknowledged?.messageId === known.acknowledgedId &&
    found.lostThrough === known.lostThrough &&
    text(inOneOrder(found)) === text(inOneOrder(known))
  )
}

/** The contract says in which order those memberships are that go on, and of no others. */
function inOneOrder({ memberships }: MembershipRecord): string[] {
  return memberships.map(({ group, joined, left }) => text([joined, left, group])).sort()
}

function text(value: unknown): string {
  return JSON.stringify(value)
}
