import type { CometClient } from './comet-client.ts'

/** A topic is an address: of everybody, of one client, of a group, of a user or of a session of the app. */

/** Everybody. */
export const EVERYBODY = '*'
export const EVERYBODY_TOPICS: readonly string[] = Object.freeze([EVERYBODY])

/** One client. */
export function clientTopic(publicToken: string): string {
  return topicOf('c:', publicToken)
}

/** The public token of a topic that addresses one client; undefined for any other topic. */
export function clientOfTopic(topic: string): string | undefined {
  return topic.startsWith('c:') ? topic.slice(2) : undefined
}

/** The members of a group. */
export function groupTopic(group: string): string {
  return topicOf('g:', group)
}

/** All clients of a user of the app. */
export function userTopic(userId: string): string {
  return topicOf('u:', userId)
}

/** All clients of a session of the app. */
export function sessionTopic(sessionId: string): string {
  return topicOf('s:', sessionId)
}

/** The topics that address a client for as long as it lives. */
export function ownTopicsOf(client: Addressed): string[] {
  return [EVERYBODY, clientTopic(client.publicToken), ...appTopicsOf(client)]
}

/** The topics that address a client as it is now. */
export function topicsOf(client: CometClient): string[] {
  return [...ownTopicsOf(client), ...client.groups.map(groupTopic)]
}

/** Those of them that may address others, too, but for that of everybody. */
export function sharedTopicsOf(client: Addressed): string[] {
  return [...appTopicsOf(client), ...client.groups.map(groupTopic)]
}

/** What of a client its topics are made of. */
type Addressed = Pick<CometClient, 'publicToken' | 'userId' | 'sessionId' | 'groups'>

function appTopicsOf({ userId, sessionId }: Addressed): string[] {
  const topics = userId === undefined ? [] : [userTopic(userId)]
  return sessionId === undefined ? topics : [...topics, sessionTopic(sessionId)]
}

/** Joined, not added: V8 leaves a sum of strings in pieces, and compares pieces slowly at each look into an index. */
function topicOf(kind: string, name: string): string {
  return [kind, name].join('')
}
