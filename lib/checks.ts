import { CometException, ErrorText } from './comet-exception.ts'

/** Throws COMET_PARAMETERS_ARE_INVALID, saying what was expected of what. */
export function check(holds: boolean, name: string, expected: string): asserts holds {
  if (!holds) throw new CometException('COMET_PARAMETERS_ARE_INVALID', `${name} must be ${expected}.`)
}

export function checkText(name: string, value: unknown, maxLength: number): asserts value is string {
  const isText =
    typeof value === 'string' && value.length > 0 && value.length <= maxLength && value.isWellFormed()
  if (!isText) check(false, name, `a text of 1 to ${maxLength} characters`)
}

/** For what only has to be somebody's public token: of a text that nobody can have, it says that nobody has it. */
export function checkPublicToken(token: unknown): asserts token is string {
  checkToken('publicToken', token)
  // What no text in UTF-8 can carry.
  if (!token.isWellFormed())
    throw new CometException('COMET_CLIENT_DOES_NOT_EXIST', ErrorText.clientDoesNotExist)
}

/** For what only has to be somebody's token. Does not say what it is instead: that may have a private token in it. */
export function checkToken(name: string, token: unknown): asserts token is string {
  if (typeof token !== 'string') throw new TypeError(`${name} must be a text, not ${typeof token}.`)
}
