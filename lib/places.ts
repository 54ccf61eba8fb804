import type { MessageEntry } from './comet-state-provider.ts'
import type { EntryList } from './entry-list.ts'
import type { Retained } from './retained-window.ts'

/** The messages that bear one topic. */
export type TopicList = EntryList<Retained<MessageEntry>>

/** Called, not listed: a list would be made for each of thousands of readers, at each read. */
export type SubscriptionVisitor = (topic: string, after: number, before?: number) => void

/** Where a reader is in the list of one topic, and the id that ends it there. */
export interface Place {
  readonly list: TopicList
  index: number
  readonly before: number
}

/** Not frozen: V8 makes an iterator for each walk through a frozen list. */
export const NONE: readonly never[] = []

/** Finds where readers go on. One for all reads of a log, each of which is over before the next one begins. */
export class PlaceFinder {
  readonly #byTopic: ReadonlyMap<string, TopicList>
  #places: readonly Place[] = NONE
  #position = 0
  #end = Number.POSITIVE_INFINITY

  constructor(byTopic: ReadonlyMap<string, TopicList>) {
    this.#byTopic = byTopic
  }

  /**
   * The places in those topics that have something above `position`.
   * @param reader visits its topics
   * @param end the id that ends the reader everywhere
   */
  find(
    reader: { forEachSubscription(visit: SubscriptionVisitor): void },
    position: number,
    end = Number.POSITIVE_INFINITY,
  ): readonly Place[] {
    this.#places = NONE
    this.#position = position
    this.#end = end
    reader.forEachSubscription(this.#visit)
    return this.#places
  }

  readonly #visit: SubscriptionVisitor = (topic, after, before = this.#end) => {
    const list = this.#byTopic.get(topic)
    if (list === undefined || list.newest!.id <= this.#position) return
    const index = list.indexAfter(Math.max(this.#position, after))
    this.#places = withNext(this.#places, { list, index, before: Math.min(before, this.#end) })
  }
}

/** The list with one more. Most reads find one: an array that is made by `push` has room for seventeen at once. */
export function withNext<T>(list: readonly T[], next: T): readonly T[] {
  if (list.length === 0) return [next]
  ;(list as T[]).push(next)
  return list
}

/** The message with the lowest id; it is gone from all places then, since one that bears several topics comes once. */
export function takeNext(places: readonly Place[]): Retained<MessageEntry> | undefined {
  let next: Retained<MessageEntry> | undefined
  for (const { list, index, before } of places) {
    const candidate = list.at(index)
    if (candidate && candidate.id < before && (!next || candidate.id < next.id)) next = candidate
  }
  if (next) {
    for (const place of places) if (place.list.at(place.index) === next) place.index += 1
  }
  return next
}
