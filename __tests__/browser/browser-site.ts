import type { Middleware } from 'koa'
import type { CometOptions } from 'koa-comet'
import { openSite, type Site } from '../support/site.ts'
import { Numbers } from './numbers.ts'
import { pages } from './page-html.ts'

/** So many requests all tabs of a browser hold together, of the six connections that it opens to a server. */
export const HELD = 4

/** A channel at which pages register themselves, with a page that does. */
export interface BrowserSite extends Site {
  /** `http://127.0.0.1:<port>` */
  readonly origin: string
  readonly numbers: Numbers
}

/** @param before what is mounted before page and channel */
export async function openBrowserSite(
  options: CometOptions = {},
  before: readonly Middleware[] = [],
): Promise<BrowserSite> {
  const site = await openSite({ options: { register: () => ({}), ...options }, before: [...before, pages] })
  const numbers = new Numbers((number) => site.channel.sendMessage('Number', number))
  return { ...site, origin: site.served.origin, numbers }
}
