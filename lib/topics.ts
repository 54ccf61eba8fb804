/** A topic is the address of a message: of everybody, or of one client by its public token. */

/** Everybody. */
export const EVERYBODY = '*'
export const EVERYBODY_TOPICS: readonly string[] = Object.freeze([EVERYBODY])

/** One client. */
export function clientTopic(publicToken: string): string {
  return `c:${publicToken}`
}

/** The public token of a topic that addresses one client; undefined for any other topic. */
export function clientOfTopic(topic: string): string | undefined {
  return topic.startsWith('c:') ? topic.slice(2) : undefined
}
