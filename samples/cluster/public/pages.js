/** Which pages are there: a list from the server, and the notices of presence that come on top of it. */
export class Pages {
  #byToken = new Map()
  /** What came since the list was asked for. */
  #notices = []
  #changed

  /** @param changed given all that are there, each time that changes */
  constructor(changed) {
    this.#changed = changed
  }

  /** A list is about to be asked for. */
  expect() {
    this.#notices = []
  }

  /** @param asOf notices with a higher id come on top of the list */
  load(clients, asOf) {
    this.#byToken = new Map(clients.map((client) => [client.publicToken, client]))
    for (const { mid, apply } of this.#notices) if (mid > asOf) apply()
    this.#notices = []
    this.#tell()
  }

  join(client, mid) {
    this.#note(mid, () => this.#byToken.set(client.publicToken, client))
  }

  leave(client, mid) {
    this.#note(mid, () => this.#byToken.delete(client.publicToken))
  }

  #note(mid, apply) {
    this.#notices.push({ mid, apply })
    apply()
    this.#tell()
  }

  #tell() {
    this.#changed([...this.#byToken.values()])
  }
}
