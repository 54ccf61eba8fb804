import { afterEach, beforeEach } from '@jest/globals'
import type { CometChannelOptions } from '../../client/index.ts'
import type { PrivateToken } from '../../client/options.ts'
import { connect, openPage, type TabStorage, theServer } from './harness.ts'

let pageEvents: EventTarget

/** What was sent by beacons: address and body. */
export const beacons: [string, string][] = []

/** Gives each test what browsers have and Node has not: events of the page, and beacons. */
export function useTab(): void {
  beforeEach(() => {
    pageEvents = new EventTarget()
    beacons.length = 0
    Object.assign(globalThis, {
      addEventListener: pageEvents.addEventListener.bind(pageEvents),
      navigator: { sendBeacon: (url: string, body: URLSearchParams) => beacons.push([url, `${body}`]) },
    })
  })
  afterEach(() => {
    for (const name of ['addEventListener', 'navigator']) Reflect.deleteProperty(globalThis, name)
  })
}

/** A thing that a browser tells a page. */
export type PageEvent = 'pagehide' | 'pageshow' | 'freeze' | 'resume' | 'visibilitychange' | 'online'

export function fire(type: PageEvent, persisted = false): void {
  pageEvents.dispatchEvent(Object.assign(new Event(type), { persisted }))
}

/** A self-registered page in that tab, with a poll held; `storage` then has what it keeps. */
export async function openRegistered(storage: TabStorage, options: CometChannelOptions = {}) {
  const page = openPage(null, { storage, ...options })
  page.channel.subscribe()
  ;(await theServer().next()).registered()
  return { ...page, poll: await connect('e1:10') }
}

/** What a new page of that tab asks first. */
export async function firstRequestIn(storage: TabStorage, token: PrivateToken | null = null) {
  const page = openPage(token, { storage })
  page.channel.subscribe()
  return { ...page, request: await theServer().next() }
}
