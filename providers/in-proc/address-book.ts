import { sharedTopicsOf } from '../../lib/topics.ts'
import type { StoredClient } from './stored-client.ts'

/** Whom each topic addresses: all but the topics of everybody and of one client, which need no list. */
export class AddressBook {
  readonly #members = new Map<string, Set<StoredClient>>()

  /** Adds a client at all its topics. */
  add(stored: StoredClient): void {
    for (const topic of sharedTopicsOf(stored.client)) this.addAt(topic, stored)
  }

  remove(stored: StoredClient): void {
    for (const topic of sharedTopicsOf(stored.client)) this.removeAt(topic, stored)
  }

  addAt(topic: string, stored: StoredClient): void {
    const members = this.#members.get(topic)
    if (members) members.add(stored)
    else this.#members.set(topic, new Set([stored]))
  }

  removeAt(topic: string, stored: StoredClient): void {
    const members = this.#members.get(topic)
    members?.delete(stored)
    if (members?.size === 0) this.#members.delete(topic)
  }

  at(topic: string): Iterable<StoredClient> {
    return this.#members.get(topic) ?? []
  }

  countAt(topic: string): number {
    return this.#members.get(topic)?.size ?? 0
  }
}
