import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { type CometErrorCode, CometException } from '../../lib/comet-exception.ts'

const ROOT = join(import.meta.dirname, '../..')
const LISTED_IN = join('lib', 'comet-exception.ts')

const STATUS: Record<CometErrorCode, number> = {
  COMET_PARAMETERS_ARE_INVALID: 400,
  COMET_CONTENTS_ARE_INVALID: 400,
  COMET_TOKEN_IS_MISSING: 401,
  COMET_TOKEN_IS_UNKNOWN: 401,
  COMET_IDENTITY_IS_LOST: 401,
  COMET_LOGIN_IS_NEEDED: 401,
  COMET_IDENTITY_HAS_CHANGED: 403,
  COMET_CLIENT_IS_STOPPED: 403,
  COMET_REGISTRATION_IS_REFUSED: 403,
  COMET_ACTION_IS_REFUSED: 403,
  COMET_GROUP_IS_REFUSED: 403,
  COMET_ORIGIN_IS_REFUSED: 403,
  COMET_CLIENT_DOES_NOT_EXIST: 404,
  COMET_NOT_OFFERED: 404,
  COMET_HANDLER_DOES_NOT_EXIST: 404,
  COMET_METHOD_IS_NOT_ALLOWED: 405,
  COMET_NOT_ACCEPTABLE: 406,
  COMET_ROLLED_BACK: 409,
  COMET_OUTCOME_IS_UNKNOWN: 409,
  COMET_CLIENT_ALREADY_EXISTS: 409,
  COMET_CLIENT_HAS_TOO_MANY_GROUPS: 409,
  COMET_MESSAGE_IS_TOO_LARGE: 413,
  COMET_BODY_IS_TOO_LARGE: 413,
  COMET_MEDIA_TYPE_IS_UNSUPPORTED: 415,
  COMET_SEND_IS_REFUSED: 422,
  COMET_TOO_MANY_REQUESTS: 429,
  COMET_USER_HAS_TOO_MANY_CLIENTS: 429,
  COMET_INTERNAL_ERROR: 500,
  COMET_SEND_HAS_FAILED: 500,
  COMET_SEND_IS_RUNNING: 503,
  COMET_TOO_MANY_CLIENTS: 503,
  COMET_TOO_MANY_REQUESTS_ARE_HELD: 503,
  COMET_QUEUE_IS_FULL: 503,
  COMET_PROVIDER_IS_UNAVAILABLE: 503,
  COMET_CHANNEL_IS_NOT_OPEN: 503,
  COMET_CHANNEL_IS_CLOSED: 503,
}

/** Codes of process warnings, which are no exceptions. */
const WARNINGS = new Set(['COMET_CONTRACT_NOT_TESTED', 'COMET_IN_PROC_IN_CLUSTER'])

/** Every code that a folder's sources name, but for the list itself. */
function codesNamedIn(folder: string): Set<string> {
  const files = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
  const sources = files.filter((file) => file.endsWith('.ts')).map((file) => join(folder, file))
  const texts = sources
    .filter((file) => file !== LISTED_IN)
    .map((file) => readFileSync(join(ROOT, file), 'utf8'))
  return new Set(texts.flatMap((text) => text.match(/(?<=')COMET_[A-Z_]+(?=')/g) ?? []))
}

test('Every code is thrown somewhere, and every code that is thrown is listed', () => {
  const named = new Set(
    [...codesNamedIn('lib'), ...codesNamedIn('providers')].filter((code) => !WARNINGS.has(code)),
  )
  expect([...named].sort()).toEqual(Object.keys(STATUS).sort())
})

test('Every code is listed with when it comes', () => {
  const list = readFileSync(join(ROOT, LISTED_IN), 'utf8')
  const documented = list.match(/(?<=\*\/\n {2})COMET_[A-Z_]+(?=: \d{3},)/g)
  expect(documented).toEqual(Object.keys(STATUS))
})

test.each(Object.entries(STATUS))('%s has the status %i', (code, status) => {
  const cause = new Error('why')
  const exception = new CometException(code as CometErrorCode, 'text', { cause })
  expect(exception).toMatchObject({ name: 'CometException', code, status, message: 'text', cause })
  expect(exception).toBeInstanceOf(Error)
  expect(exception.expose).toBe(status < 500)
  // A page is told what the app may show, or else a text of the code's own.
  if (exception.expose) expect(exception.publicText).toBe('text')
  else expect(exception.publicText).toMatch(/^The [a-z ]+\.( Try again later\.)?$/)
})
