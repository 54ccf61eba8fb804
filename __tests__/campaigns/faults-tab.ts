/** What a page keeps over a reload, and sees of the browser around it: what Node has not. */
export class FaultsTab {
  readonly #items: Map<string, string>
  readonly #store: (value: string) => string
  readonly #window = new EventTarget()

  /** @param store what is kept instead of a value */
  constructor(store = (value: string): string => value, items = new Map<string, string>()) {
    this.#store = store
    this.#items = items
  }

  getItem(key: string): string | null {
    return this.#items.get(key) ?? null
  }

  setItem(key: string, value: string): void {
    this.#items.set(key, this.#store(value))
  }

  removeItem(key: string): void {
    this.#items.delete(key)
  }

  /** What a page of the same tab begins with if this one is gone at this moment. */
  reloaded(): FaultsTab {
    return new FaultsTab(this.#store, new Map(this.#items))
  }

  /** Forgets what was found out about streams: what is there is JSON. */
  forgetEvidence(): void {
    for (const [key, value] of this.#items) {
      this.#items.set(key, JSON.stringify({ ...JSON.parse(value), streamsFrom: undefined }))
    }
  }

  /** Does what the page does at once: it is as if this tab's window were around it. */
  within(work: () => void): void {
    const restore = [
      replaceGlobal('addEventListener', this.#window.addEventListener.bind(this.#window)),
      replaceGlobal('navigator', { sendBeacon }),
    ]
    try {
      work()
    } finally {
      for (const each of restore) each()
    }
  }

  fire(type: 'pagehide' | 'freeze' | 'resume' | 'online'): void {
    this.within(() => {
      this.#window.dispatchEvent(Object.assign(new Event(type), { persisted: false }))
    })
  }
}

/** A browser sends it after the page has gone; whether it arrives, nobody hears. */
function sendBeacon(url: string, body: URLSearchParams): boolean {
  fetch(url, { method: 'POST', body }).then(
    (response) => response.body?.cancel(),
    () => {},
  )
  return true
}

/** Returns a function that puts back what was there: newer versions of Node have a navigator. */
function replaceGlobal(name: string, value: unknown): () => void {
  const before = Object.getOwnPropertyDescriptor(globalThis, name)
  Object.defineProperty(globalThis, name, { configurable: true, value })
  return () => {
    if (before) Object.defineProperty(globalThis, name, before)
    else Reflect.deleteProperty(globalThis, name)
  }
}
