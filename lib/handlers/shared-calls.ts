interface Calls<V> {
  readonly current: Promise<V>
  next?: Promise<V>
}

/**
 * Makes one call at a time for each key. Those who ask while one is under way share the next: what anybody is given was
 * begun after he asked.
 */
export class SharedCalls<K, V> {
  readonly #call: (key: K) => Promise<V>
  readonly #byKey = new Map<K, Calls<V>>()

  constructor(call: (key: K) => Promise<V>) {
    this.#call = call
  }

  of(key: K): Promise<V> {
    const calls = this.#byKey.get(key)
    if (calls === undefined) return this.#begin(key)
    calls.next ??= calls.current.catch(() => {}).then(() => this.#begin(key))
    return calls.next
  }

  #begin(key: K): Promise<V> {
    const calls: Calls<V> = {
      current: this.#call(key).finally(() => {
        if (calls.next === undefined) this.#byKey.delete(key)
      }),
    }
    this.#byKey.set(key, calls)
    return calls.current
  }
}
