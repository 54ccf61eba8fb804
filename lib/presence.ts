import type { Entry, MessageEntry } from './comet-entry.ts'
import { groupTopic } from './topics.ts'
import { type MembershipContents, NoticeName, type UpdateContents } from './wire.ts'

/** The message that an entry is to those whom it addresses, if it is one. */
export type MessageOf = (entry: Entry) => MessageEntry | undefined

/** Of a channel that tells nobody who is there. */
export function messageOnly(entry: Entry): MessageEntry | undefined {
  return entry.kind === 'message' ? entry : undefined
}

/**
 * Of a channel that does. A notice is what its entry says, and is stored as nothing else: so none is lost, or comes
 * before or after what it belongs to. Of its own joining and leaving a client is not told.
 */
export function messageOrNotice(entry: Entry): MessageEntry | undefined {
  switch (entry.kind) {
    case 'message':
      return entry
    case 'join':
    case 'leave': {
      const { id, kind, group, client } = entry
      return notice(id, NoticeName[kind], [group], { group, client }, [client.publicToken])
    }
    case 'update':
      return notice(entry.id, NoticeName.update, entry.groups, { client: entry.client })
    default:
      return undefined
  }
}

function notice(
  id: number,
  name: string,
  groups: readonly string[],
  contents: MembershipContents | UpdateContents,
  except: readonly string[] = [],
): MessageEntry {
  const topics = groups.map(groupTopic)
  return { kind: 'message', id, topics, except, name, contents: JSON.stringify(contents) }
}
