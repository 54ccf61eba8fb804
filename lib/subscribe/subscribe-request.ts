import type { IncomingMessage } from 'node:http'
import { CometException } from '../comet-exception.ts'
import { type Cursor, parseCursor } from '../cursor.ts'
import type { Page } from './page.ts'
import { type HasRequest, requestHeader } from './request-header.ts'

/** What a page asks for, whichever form it came in. */
export interface SubscribeRequest {
  readonly privateToken: string
  /** What the page has seen. Absent: go on where the client last acknowledged. */
  readonly cursor: Cursor | undefined
  readonly page: Page
  /** The longest it wants to be held. Absent: as long as the client's record says. */
  readonly waitSeconds: number | undefined
}

const BEARER = /^Bearer +[\x21-\x7e]+$/i
const PAGE = /^[A-Za-z0-9_-]{1,64}(?:;new)?$/
const NEW_PAGE = ';new'
/** RFC 7240: `Prefer: wait=10`. */
const PREFER_WAIT = /(?:^|[,;\s])wait=(\d{1,5})(?=$|[,;\s])/i
const MESSAGE_ID = /^-?\d{1,16}$/
const MAX_TOKEN_LENGTH = 256

/** Reads the GET form: all of it is in headers, but the token may be in a cookie. */
export function readHeaders(ctx: HasRequest, privateToken: string | undefined): SubscribeRequest {
  return complete(ctx, privateToken, headerCursor(ctx))
}

/**
 * Reads the POST form: `privateToken`, `lastMessageId` and, of newer pages, `epoch`. What is not in the body may be
 * in headers.
 * @param currentEpoch the life of the log that a `lastMessageId` without `epoch` is taken to be of
 */
export function readBody(
  ctx: HasRequest,
  body: Readonly<Record<string, unknown>>,
  currentEpoch: string,
): SubscribeRequest {
  const { privateToken = headerToken(ctx), lastMessageId, epoch = currentEpoch } = body
  const cursor = lastMessageId === undefined ? headerCursor(ctx) : checkedCursor(lastMessageId, epoch)
  return complete(ctx, privateToken, cursor)
}

/** The private token that a request's headers bear, `undefined` if none. */
export function headerToken(ctx: HasRequest): string | undefined {
  const token = requestHeader(ctx, 'comet-token')
  if (token !== '') return token
  const authorization = requestHeader(ctx, 'authorization')
  // Not by a group of the pattern: what that finds is a list, of each poll.
  return BEARER.test(authorization) ? authorization.slice(authorization.lastIndexOf(' ') + 1) : undefined
}

export function checkedToken(token: unknown): string {
  if (token === undefined || token === '') {
    const text = 'privateToken is missing: send it as Authorization: Bearer, as Comet-Token, or in the form.'
    throw new CometException('COMET_TOKEN_IS_MISSING', text)
  }
  if (typeof token !== 'string' || token.length > MAX_TOKEN_LENGTH)
    throw invalid('privateToken must be one text.')
  return token
}

/** A page id as a header or form gives it. */
export function checkedPage(text: unknown): { readonly id: string; readonly isNew: boolean } {
  if (typeof text !== 'string' || !PAGE.test(text))
    throw invalid('Comet-Page must be 1 to 64 of A-Z a-z 0-9 _ -, and may end in ;new.')
  const isNew = text.endsWith(NEW_PAGE)
  return { id: isNew ? text.slice(0, -NEW_PAGE.length) : text, isNew }
}

function headerCursor(ctx: HasRequest): Cursor | undefined {
  const text = requestHeader(ctx, 'last-event-id')
  return text === '' ? undefined : parseCursor(text)
}

function complete(ctx: HasRequest, token: unknown, cursor: Cursor | undefined): SubscribeRequest {
  const wait = PREFER_WAIT.exec(requestHeader(ctx, 'prefer'))
  return {
    privateToken: checkedToken(token),
    cursor,
    page: pageOf(ctx, cursor),
    waitSeconds: wait ? Number(wait[1]) : undefined,
  }
}

/**
 * A page that does not name itself is new as long as it has no cursor; neither can a native EventSource say more, which
 * may name itself in the URL.
 */
function pageOf(ctx: HasRequest, cursor: Cursor | undefined): Page {
  const header = requestHeader(ctx, 'comet-page')
  if (header === '') return { id: pageOfUrl(ctx), take: cursor === undefined }
  const { id, isNew } = checkedPage(header)
  return { id, take: isNew }
}

function pageOfUrl(ctx: HasRequest): string {
  // Not ctx.query, which Koa would keep for as long as the request is held.
  const page = new URLSearchParams(queryOf(ctx.req)).get('page')
  return page === null ? '' : checkedPage(page).id
}

function queryOf({ url = '' }: IncomingMessage): string {
  const query = url.indexOf('?')
  return query === -1 ? '' : url.slice(query + 1)
}

/** 0 and -1 are what a client of the AspNetComet wire says before its first message. */
function checkedCursor(lastMessageId: unknown, epoch: unknown): Cursor | undefined {
  const text = typeof lastMessageId === 'number' ? String(lastMessageId) : lastMessageId
  const messageId = typeof text === 'string' && MESSAGE_ID.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(messageId)) throw invalid('lastMessageId must be a whole number.')
  if (typeof epoch !== 'string') throw invalid('epoch must be one text.')
  return messageId <= 0 ? undefined : parseCursor(`${epoch}:${messageId}`)
}

function invalid(text: string): CometException {
  return new CometException(
    'COMET_PARAMETERS_ARE_INVALID',
    `The parameters of the request are invalid. ${text}`,
  )
}
