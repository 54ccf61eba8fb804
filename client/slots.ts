import { abortWith, pause } from './abortable.ts'

/** Over HTTP/1.1 a browser opens six connections to a server, for all its tabs together: so many may be held. */
const SLOTS = 4

/**
 * Takes one of the slots for held requests to a server, which all pages of this origin share, until the signal aborts.
 * Resolves with whether there is none. There always is one outside of browsers, where these have no locks (plain http),
 * and where requests share a connection (HTTP/2).
 *
 * A page that is seen takes the slot of one that is not, if it has to. One that took its slot while it was seen, and has
 * been seen since, is left alone.
 *
 * @param url of what is requested
 * @param onLost called when the slot was taken away
 */
export async function lacksSlot(url: string, signal: AbortSignal, onLost: () => void): Promise<boolean> {
  const server = new URL('/', url).href
  const locks = globalThis.document && navigator.locks
  if (!locks || isMultiplexed(server)) return false
  const { hidden } = document
  for (const steal of [false, !hidden]) {
    for (let slot = 0; slot < SLOTS; slot += 1) {
      const name = `koa-comet ${slot} ${server}`
      // Who is seen keeps this mark as long, and only who has it may steal: so no two steal from each other for ever.
      const seen = abortWith(signal)
      document.addEventListener('visibilitychange', () => seen.abort(), { signal: seen.signal })
      const mayTake = hidden || (await take(`${name} seen`, seen.signal))
      if (mayTake && (await take(name, signal, steal))) return false
      seen.abort()
    }
  }
  return true

  function take(name: string, until: AbortSignal, steal = false): Promise<boolean> {
    return new Promise((resolve) => {
      let isHeld = false
      const hold = (lock: Lock | null) => {
        isHeld = !!lock
        resolve(isHeld)
        return lock && pause(Number.POSITIVE_INFINITY, until)
      }
      // A browser may refuse all locks, to a page in a sandbox for one: then there are no slots.
      locks.request(name, { steal, ifAvailable: !steal }, hold).catch(() => {
        if (isHeld) onLost()
        else resolve(true)
      })
    })
  }
}

/** Whether this page has got something from the server over HTTP/2 or 3, as far as the browser tells. */
function isMultiplexed(server: string): boolean {
  const entries = performance.getEntries() as PerformanceResourceTiming[]
  return entries.some((each) => each.name.startsWith(server) && /^h[23]/.test(each.nextHopProtocol))
}
