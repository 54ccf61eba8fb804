/**
 * Who is to be found under which topic. Most topics have one member, so that a set is only made for the second.
 */
export class TopicIndex<T extends object> {
  readonly #members = new Map<string, T | Set<T>>()

  add(topic: string, member: T): void {
    const present = this.#members.get(topic)
    if (present === undefined) this.#members.set(topic, member)
    else if (present instanceof Set) present.add(member)
    else this.#members.set(topic, new Set([present, member]))
  }

  delete(topic: string, member: T): void {
    const present = this.#members.get(topic)
    if (present === member) this.#members.delete(topic)
    if (!(present instanceof Set)) return
    present.delete(member)
    if (present.size === 0) this.#members.delete(topic)
  }

  clear(): void {
    this.#members.clear()
  }

  forEach(topic: string, visit: (member: T) => void): void {
    const present = this.#members.get(topic)
    if (present instanceof Set) present.forEach(visit)
    else if (present) visit(present)
  }
}
