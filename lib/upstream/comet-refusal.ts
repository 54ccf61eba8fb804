const CODE = /^(?!COMET_)[A-Z][A-Z0-9_]{0,63}$/

const MAX_DETAILS = 16 * 1024

/**
 * What a handler of `onMessage` throws to refuse what a page has sent: the page's promise rejects with this code, text
 * and details. All else that a handler throws, the page learns nothing of.
 */
export class CometRefusal extends Error {
  override readonly name = 'CometRefusal'
  readonly code: string
  readonly details: unknown

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
    if ((json?.length ?? 0) > MAX_DETAILS) throw new RangeError(`Details may take ${MAX_DETAILS} characters.`)
    this.code = code
    this.details = json === undefined ? undefined : JSON.parse(json)
  }
}
