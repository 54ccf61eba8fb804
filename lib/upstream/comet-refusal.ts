import type { ToldError } from '../answer.ts'

const CODE = /^(?!COMET_)[A-Z][A-Z0-9_]{0,63}$/

const MAX_DETAILS_BYTES = 16 * 1024

/**
 * What a handler of `onMessage`, or one of the options `authorize`, `joinable` and `clientList`, throws to say no: the
 * page is told this code, text and details, and its promise rejects with them. Of all else that they throw, the page
 * learns nothing.
 */
export class CometRefusal extends Error implements ToldError {
  override readonly name = 'CometRefusal'
  readonly code: string
  /** The request was understood, and the app does not do it. */
  readonly status = 422
  readonly details: unknown
  readonly retryOverSeconds = undefined

  /**
   * @param code of the app's own: 1 to 64 of `A-Z 0-9 _`, not beginning with `COMET_`
   * @param message for a person
   * @param details any JSON value of at most 16 KiB, for the page's code
   * @throws TypeError for another code, or details that are no JSON; RangeError for more of them
   */
  constructor(code: string, message: string, details?: unknown) {
    super(message)
    if (!CODE.test(code)) {
      const expected = 'capital letters, digits and _, and does not begin with COMET_'
      throw new TypeError(`The code of a refusal has ${expected}: not ${JSON.stringify(code)}.`)
    }
    const json = details === undefined ? undefined : JSON.stringify(details)
    if (json === undefined && details !== undefined) {
      throw new TypeError(`The details of a refusal must be JSON, not a ${typeof details}.`)
    }
    if (Buffer.byteLength(json ?? '') > MAX_DETAILS_BYTES) {
      throw new RangeError(`The details of a refusal may take ${MAX_DETAILS_BYTES} bytes of JSON.`)
    }
    this.code = code
    this.details = json === undefined ? undefined : JSON.parse(json)
  }

  get publicText(): string {
    return this.message
  }
}
