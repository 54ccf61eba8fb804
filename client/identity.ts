import { unlessAborted } from './abortable.ts'
import { askForToken, type Credentials, register } from './credentials.ts'
import type { Http } from './http.ts'
import { isLiving } from './living-pages.ts'
import type { PrivateToken } from './options.ts'
import type { PageMemory, PageState, Registration } from './page-memory.ts'

/** Whom the page is to the server, what it has seen as such, and what it keeps of it for a reload. */
export class Identity {
  /** Random, for this life of the page: 24 bytes, in letters that base64url has too. */
  readonly page = crypto.getRandomValues(new Uint32Array(6)).reduce((id, part) => id + part.toString(36), '')
  /** Whether the page can come by a new token by itself. */
  readonly renewsToken: boolean
  /** The one in use if `isTaken`; else the one before, or one not used yet. */
  token: string | undefined
  isTaken = false
  /** `<epoch>:<messageId>`: the handlers of everything up to here have been called. */
  cursor: string | undefined
  registration: Registration | undefined
  /** Whether this page takes the client over from another: until its first good answer with this token. */
  takesOver = true
  /** Whether the server has held a poll with this token, or a page before has used it. */
  isProven = false
  readonly #given: PrivateToken | null | undefined
  readonly #memory: PageMemory
  readonly #http: Http
  #mayResume = true
  #kept: PageState | undefined

  constructor(given: PrivateToken | null | undefined, memory: PageMemory, http: Http) {
    this.#given = given
    this.#memory = memory
    this.#http = http
    if (typeof given === 'string') this.token = given
    this.renewsToken = !this.token
  }

  /** Comes by a token if there is none: what the app gives, what the page before left, or a new registration. */
  async take(signal: AbortSignal): Promise<void> {
    if (this.isTaken) return
    const given = this.#given
    let left = this.#mayResume ? this.#memory.read() : undefined
    // A tab that was duplicated finds what the other still uses. With a token of the app's, the newest wins.
    if (left && !given && !left.released && (await isLiving(left.page, signal))) left = undefined
    let next: Credentials
    if (typeof given === 'string') next = { token: given }
    else if (given) next = await unlessAborted(askForToken(given, left?.token), signal)
    else next = left ?? (await register(this.#http, signal))
    // Who stopped meanwhile may have cut the question short.
    signal.throwIfAborted()
    this.isProven = left?.token === next.token
    if (this.isProven) next = left!
    this.token = next.token
    this.cursor = next.cursor
    this.registration = next.registration
    this.#http.holdSeconds = next.registration?.connectionTimeoutSeconds ?? this.#http.holdSeconds
    this.isTaken = true
    this.keep()
  }

  /** Writes down where the page is. */
  keep(): void {
    const { token, cursor, page, registration } = this
    if (!this.isTaken) return
    this.#kept = { token: token!, cursor, page, registration }
    this.#memory.write(this.#kept)
  }

  /** Marks what was written down last as free for the page that comes next. */
  release(): void {
    if (this.isTaken) this.#memory.write({ ...this.#kept!, released: true })
  }

  /** The token is dead, or given up. */
  forget(): void {
    this.#memory.write()
    this.cursor = this.registration = undefined
    this.takesOver = true
    this.isTaken = this.#mayResume = false
  }
}
