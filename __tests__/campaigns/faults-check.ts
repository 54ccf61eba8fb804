import type { Problem } from './problems.ts'

/** What the handlers of one life of a page were given as one client. */
export interface Segment {
  /**
   * Whether the page before it had time to write down where it was: then nothing comes again. After a crash some of
   * what was handed out last may.
   */
  readonly isClean: boolean
  /** The ids, in the order of their coming. */
  readonly received: readonly number[]
}

/** All that was handed out as one client. */
export interface ClientHistory {
  readonly who: string
  /** In the order of the page's lives. */
  readonly segments: readonly Segment[]
  /** Whether the client lived to the end. Of one that was removed, what came last may be missing. */
  readonly isWhole: boolean
}

/**
 * Returns what is wrong with what came: each message has to come once to each life of the page, in order, without a gap
 * within a life or between two.
 *
 * @param addressed the ids of all messages to this client, rising
 */
export function checkHistory(history: ClientHistory, addressed: readonly number[]): Problem[] {
  const { who, segments, isWhole } = history
  const problems: Problem[] = []
  const places = new Map(addressed.map((id, place) => [id, place]))
  /** Everything before this place has come, or is told as lost. */
  let next = 0
  const seen = new Set<number>()
  for (const { isClean, received } of segments) {
    const first = places.get(received[0]!)
    if (!isClean && first !== undefined) next = Math.min(next, first)
    for (const id of received) {
      const place = places.get(id)
      if (place === undefined)
        problems.push({ kind: 'client', text: `${who} got ${id}, which was not for it` })
      else if (place >= next) {
        tellLost(next, place)
        next = place + 1
      } else if (seen.has(id)) problems.push({ kind: 'twice', text: `${who} got ${id} again` })
      else problems.push({ kind: 'out of order', text: `${who} got ${id} behind ${addressed[next - 1]}` })
      seen.add(id)
    }
  }
  if (isWhole) tellLost(next, addressed.length)
  return problems

  function tellLost(from: number, to: number): void {
    for (const id of addressed.slice(from, to))
      problems.push({ kind: 'lost', text: `${who} did not get ${id}` })
  }
}
