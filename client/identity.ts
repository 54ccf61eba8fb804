import { unlessAborted } from './abortable.ts'
import { askForToken, type Credentials, register } from './credentials.ts'
import { type Http, isDeadToken } from './http.ts'
import { isLiving } from './living-pages.ts'
import type { PrivateToken } from './options.ts'
import type { PageMemory, Registration } from './page-memory.ts'

/** How many groups the server lets one request name. */
const MOST_NAMES = 100

/** Whom the page is to the server, what it has seen as such, and what it keeps of it for a reload. */
export class Identity {
  /** Random, for this life of the page: 16 bytes, in decimal digits. */
  readonly page = crypto.getRandomValues(new Uint32Array(4)).join('')
  /** Whether the page can come by a new token by itself. */
  readonly renewsToken: boolean
  /** The one in use if `isTaken`; else the one before, or one not used yet. */
  token: string | undefined
  isTaken = false
  /** The groups that the page joined itself. */
  groups = new Set<string>()
  /** Those that the client is no member of yet: at first all, for one that had to be initialised anew. */
  unjoined = new Set<string>()
  /** How many of them one request names. */
  joinsAtOnce = MOST_NAMES
  /** How many clients this page has been before. */
  clientNumber = 0
  /** How often another user was found behind this page, or none. */
  principal = 0
  /** `<epoch>:<messageId>`: everything up to here has been handed out. */
  cursor: string | undefined
  /** Everything up to here has been dealt with, too: a loop may be busy with the message after it. */
  dealtWith: string | undefined
  registration: Registration | undefined
  /** Until when streams are avoided: see `Evidence`. */
  avoidedUntilMs: number
  /** Whether this page takes the client over from another: until its first good answer with this token. */
  takesOver = true
  /** Whether the server has held a poll with this token, or a page before has used it. */
  isProven = false
  readonly #given: PrivateToken | null | undefined
  readonly #memory: PageMemory
  readonly #http: Http
  #mayResume = true

  constructor(given: PrivateToken | null | undefined, memory: PageMemory, http: Http) {
    this.#given = given
    this.#memory = memory
    this.#http = http
    if (typeof given === 'string') this.token = given
    this.renewsToken = !this.token
    this.avoidedUntilMs = memory.read()?.streamsFrom ?? 0
  }

  /** Whether the page can ask for something as its client. */
  get isReady(): boolean {
    return this.isTaken && !this.unjoined.size
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
    if (this.isProven) {
      next = left!
      this.groups = new Set(left!.groups)
    }
    this.token = next.token
    this.cursor = this.dealtWith = next.cursor
    this.registration = next.registration
    this.#http.holdSeconds = next.registration?.connectionTimeoutSeconds ?? this.#http.holdSeconds
    this.isTaken = true
  }

  /** Moves the cursor behind what is handed out next. Everything before has been dealt with by then. */
  moveTo(cursor: string): void {
    this.dealtWith = this.cursor
    this.cursor = cursor
  }

  /**
   * Writes down what a page after this one goes on from.
   *
   * @param isDealtWith everything up to the cursor has been dealt with; else what came last has not
   * @param released this page lets go of it
   */
  keep(isDealtWith: boolean, released?: boolean): void {
    if (isDealtWith) this.dealtWith = this.cursor
    const { token, dealtWith: cursor, page, registration, avoidedUntilMs: streamsFrom } = this
    const groups = [...this.groups]
    const state = { token: token!, cursor, page, registration, groups, streamsFrom, released }
    // Until it is a member again, the page after it had better begin anew.
    if (this.isReady) this.#memory.write(state)
  }

  /**
   * The token is dead, or given up.
   *
   * @param code why, if it is dead. Only then the next client is to be what this one was
   */
  forget(code = ''): void {
    this.clientNumber += 1
    if (code.includes('IDENTITY')) this.principal += 1
    if (!isDeadToken(code)) this.groups.clear()
    this.unjoined = new Set(this.groups)
    this.joinsAtOnce = MOST_NAMES
    this.#memory.write()
    this.cursor = this.registration = undefined
    this.takesOver = true
    this.isTaken = this.#mayResume = false
  }
}
