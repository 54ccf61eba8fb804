import type { Entry } from '../../lib/comet-state-provider.ts'
import { clientTopic, EVERYBODY, groupTopic, userTopic } from '../../lib/topics.ts'

/**
 * Returns what is addressed to each client, by the log alone: the ids of messages and of notices of presence, rising.
 * Takes a time in proportion to what is handed out.
 *
 * @param userOf the users of the clients that are asked about; others are members and have no user
 */
export function addressedIds(
  entries: readonly Entry[],
  userOf: ReadonlyMap<string, string>,
): Map<string, number[]> {
  const addressed = new Map<string, number[]>()
  const byTopic = new Map<string, Set<string>>()
  for (const entry of entries) {
    switch (entry.kind) {
      case 'initialise':
        addressed.set(entry.publicToken, [])
        for (const topic of ownTopics(entry.publicToken)) audienceOf(topic).add(entry.publicToken)
        break
      case 'remove':
        for (const topic of ownTopics(entry.publicToken)) audienceOf(topic).delete(entry.publicToken)
        break
      case 'join':
        audienceOf(groupTopic(entry.group)).add(entry.client.publicToken)
        address(entry.id, [groupTopic(entry.group)], [entry.client.publicToken])
        break
      case 'leave':
        audienceOf(groupTopic(entry.group)).delete(entry.client.publicToken)
        address(entry.id, [groupTopic(entry.group)], [])
        break
      case 'update':
        address(entry.id, entry.groups.map(groupTopic), [])
        break
      case 'message':
        address(entry.id, entry.topics, entry.except)
        break
      case 'stop':
        throw new Error('Nobody is stopped in this campaign.')
    }
  }
  return addressed

  function ownTopics(publicToken: string): string[] {
    const user = userOf.get(publicToken)
    return [EVERYBODY, clientTopic(publicToken), ...(user === undefined ? [] : [userTopic(user)])]
  }

  function audienceOf(topic: string): Set<string> {
    const audience = byTopic.get(topic) ?? new Set()
    byTopic.set(topic, audience)
    return audience
  }

  function address(id: number, topics: readonly string[], except: readonly string[]): void {
    for (const publicToken of union(topics.map(audienceOf)))
      if (!except.includes(publicToken)) addressed.get(publicToken)!.push(id)
  }
}

function union(audiences: readonly ReadonlySet<string>[]): ReadonlySet<string> {
  return audiences.length === 1 ? audiences[0]! : new Set(audiences.flatMap((audience) => [...audience]))
}
