import type { RegisterAnswer } from '../lib/wire.ts'
import { parseCursor } from './cursor.ts'
import { isToken, type PageStorage } from './options.ts'

/** What a client that registered itself knows of itself. */
export type Registration = Omit<RegisterAnswer, 'privateToken' | 'cursor'>

/** What a page leaves for the one after it: the same tab after a reload. */
export interface PageState {
  readonly token: string
  /** `<epoch>:<messageId>`: everything up to it has been dealt with, by handlers and by the bodies of loops. */
  readonly cursor?: string | undefined
  /** The id of the page that holds this state, so that a duplicated tab can ask whether it lives. */
  readonly page: string
  readonly registration?: Registration | undefined
  /** The groups that the page joined, and its client is a member of. */
  readonly groups?: readonly string[] | undefined
  /** From when on streams are tried again, if they are avoided: milliseconds since 1970. */
  readonly streamsFrom?: number | undefined
  /** The page that held it has gone, or has unsubscribed. */
  readonly released?: boolean | undefined
}

/**
 * A channel's place in the tab's storage. Content that is not ours counts as none, and a storage that throws (full,
 * or forbidden) as one that keeps nothing: the page then begins anew after a reload.
 */
export class PageMemory {
  readonly #key: string
  readonly #storage: PageStorage | null | undefined

  /** @param storage `null` keeps nothing; `undefined` is the tab's sessionStorage, if there is one */
  constructor(storage: PageStorage | null | undefined, url: string, alias: string) {
    this.#key = `koa-comet ${JSON.stringify([url, alias])}`
    // Where storage is forbidden, looking at the property throws already.
    this.#storage = storage === undefined ? attempt(() => globalThis.sessionStorage) : storage
  }

  read(): PageState | undefined {
    const state = attempt(() => JSON.parse(this.#storage!.getItem(this.#key)!) as PageState | null)
    const isOurs = isToken(state?.token) && parseCursor(state.cursor ?? 'none:0')
    return isOurs && Array.isArray(state.groups ?? []) ? state : undefined
  }

  /** @param state undefined removes what is there */
  write(state?: PageState): void {
    attempt(() => {
      if (state) this.#storage!.setItem(this.#key, JSON.stringify(state))
      else this.#storage!.removeItem(this.#key)
    })
  }
}

/** A storage that is missing throws like one that is forbidden. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch {
    return undefined
  }
}
