import { afterEach, beforeEach } from '@jest/globals'

type Hold = (lock: { readonly name: string } | null) => unknown

interface Options {
  readonly ifAvailable?: boolean
  readonly steal?: boolean
}

/** What of Web Locks pages use: of all that are asked for, those that are free at once, or stolen. */
export class BrowserLocks {
  /** Set when the browser lets a page have none. */
  isForbidden = false
  /** Called when one is stolen. */
  whenStolen: () => void = () => {}
  readonly #held = new Map<string, (stolen: unknown) => void>()

  /** The names of those that are held. */
  get held(): string[] {
    return [...this.#held.keys()].sort()
  }

  async request(name: string, { ifAvailable, steal }: Options, hold: Hold): Promise<unknown> {
    // As a browser does, in a later turn.
    await new Promise((resolve) => setImmediate(resolve))
    if (this.isForbidden) throw new DOMException('Locks are forbidden', 'SecurityError')
    if (steal === ifAvailable) throw new TypeError('This stand-in does not wait')
    if (ifAvailable && this.#held.has(name)) return hold(null)
    if (this.#held.has(name)) this.whenStolen()
    this.#held.get(name)?.(new DOMException('The lock was stolen', 'AbortError'))
    return new Promise((resolve, reject) => {
      this.#held.set(name, reject)
      const release = () => {
        if (this.#held.get(name) === reject) this.#held.delete(name)
      }
      Promise.resolve(hold({ name })).finally(release).then(resolve, reject)
    })
  }
}

/** A document that is seen or hidden. */
class BrowserDocument extends EventTarget {
  hidden = false
}

/** What the page has got, and how. */
export interface Resource {
  readonly name: string
  readonly nextHopProtocol: string
}

let locks: BrowserLocks
let page: BrowserDocument
const resources: Resource[] = []
const REAL_ENTRIES = performance.getEntries

/** Gives each test a document, which is seen, and locks; after `useTab`. */
export function useLocks(): void {
  beforeEach(() => {
    locks = new BrowserLocks()
    page = new BrowserDocument()
    resources.length = 0
    Object.assign(navigator, { locks })
    Object.assign(globalThis, { document: page })
    performance.getEntries = () => [...(resources as never[])]
  })
  afterEach(() => {
    performance.getEntries = REAL_ENTRIES
    Reflect.deleteProperty(globalThis, 'document')
  })
}

export function theLocks(): BrowserLocks {
  return locks
}

/** Tells pages that they are seen, or not any more. */
export function show(isSeen: boolean): void {
  if (page.hidden !== isSeen) return
  page.hidden = !isSeen
  page.dispatchEvent(new Event('visibilitychange'))
}

export function got(resource: Resource): void {
  resources.push(resource)
}
