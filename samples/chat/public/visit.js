/** Who is in a room, from the moment when the page asked to enter it. */
export class Visit {
  room
  /** By their public tokens. Undefined until the page was told. */
  #people
  /** Notices that came before that. */
  #notices = []
  /** Notices up to here are in the list. */
  #asOf = 0

  constructor(room) {
    this.room = room
  }

  /** In the order of their names. Undefined as long as it is not known. */
  get people() {
    return (
      this.#people && [...this.#people.values()].sort((a, b) => a.displayName.localeCompare(b.displayName))
    )
  }

  /** Notices may overtake this answer: those of later than it go on top. */
  entered({ people, asOf }) {
    this.#people = new Map(people.map((person) => [person.publicToken, person]))
    this.#asOf = asOf
    for (const { id, change } of this.#notices) if (id > asOf) change(this.#people)
    this.#notices = []
  }

  /** @param id of the notice */
  joined({ group, client }, id) {
    this.#note(group, id, (people) => people.set(client.publicToken, client))
  }

  left({ group, client }, id) {
    this.#note(group, id, (people) => people.delete(client.publicToken))
  }

  #note(group, id, change) {
    if (group !== this.room || id <= this.#asOf) return
    if (this.#people) change(this.#people)
    else this.#notices.push({ id, change })
  }
}

/** `lobby` if the address names none. Names that differ in case only are one room. */
export function roomOf(hash) {
  return decoded(hash.slice(1)).normalize('NFC').trim().toLowerCase() || 'lobby'
}

function decoded(text) {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
