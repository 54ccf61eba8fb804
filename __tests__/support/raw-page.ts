import type { Told } from './exchange.ts'
import { LONG_POLLING } from './polling-exchange.ts'
import { type PageClient, TestPage } from './test-page.ts'

/** A page that polls. */
export class RawPage extends TestPage {
  constructor(client: PageClient, pageId?: string) {
    super(LONG_POLLING, client, pageId)
  }

  /** One poll. An answer that fails with 503 leaves all as it is. */
  poll(url: string, options?: { readonly waitSeconds?: number }): Promise<Told> {
    return this.next(url, options)
  }
}

export function countTo(count: number, from = 1): number[] {
  return Array.from({ length: count }, (_, index) => from + index)
}
