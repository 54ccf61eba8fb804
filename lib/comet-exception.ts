import { MIN_PRIVATE_TOKEN_LENGTH } from './private-token.ts'

/**
 * Every error that a user of the channel can meet in operation. Codes are stable, texts are not.
 * A programming mistake (a wrong type, an unknown option) is a bare `TypeError` or `RangeError` instead.
 */
const ERRORS = {
  /** A field of a request, of `initializeClient` or of `sendMessage` has a value that is not allowed. */
  COMET_PARAMETERS_ARE_INVALID: 400,
  /** What a page sent is not as the handler's schema says. `details` has what is wrong with it. */
  COMET_CONTENTS_ARE_INVALID: 400,
  /** A request came without a private token. */
  COMET_TOKEN_IS_MISSING: 401,
  /** A request's private token belongs to no client: never issued, expired or removed. Initialise anew. */
  COMET_TOKEN_IS_UNKNOWN: 401,
  /** The client was initialised for a user, and the request comes without a login, or `identify` refused it. Initialise anew. */
  COMET_IDENTITY_IS_LOST: 401,
  /** The option `authorize` said by `ctx.throw(401)` that this takes a login. */
  COMET_LOGIN_IS_NEEDED: 401,
  /** The client was initialised for another user than the request comes from. Initialise anew. */
  COMET_IDENTITY_HAS_CHANGED: 403,
  /** The app stopped this client with `stopClient`. Its page stays away. */
  COMET_CLIENT_IS_STOPPED: 403,
  /** The option `register` returned null for this page, or it or `identify` threw 401 or 403 in Koa's way. */
  COMET_REGISTRATION_IS_REFUSED: 403,
  /** The option `authorize` or `clientList` does not allow it. */
  COMET_ACTION_IS_REFUSED: 403,
  /** The option `joinable` does not let the page join or leave one of these groups. */
  COMET_GROUP_IS_REFUSED: 403,
  /** A page of another origin that the option `origins` does not list. */
  COMET_ORIGIN_IS_REFUSED: 403,
  /** The app named a client that does not exist: to send to, to find, to change, to remove, or to join or leave a group. */
  COMET_CLIENT_DOES_NOT_EXIST: 404,
  /** The option that offers this address, `joinable` or `clientList`, is not set. */
  COMET_NOT_OFFERED: 404,
  /** A page sent a message of a name that no handler of `onMessage` has. */
  COMET_HANDLER_DOES_NOT_EXIST: 404,
  /** The method is not one that this address has; `Allow` lists them. */
  COMET_METHOD_IS_NOT_ALLOWED: 405,
  /** No transport of this channel produces what the request's `Accept` asks for. */
  COMET_NOT_ACCEPTABLE: 406,
  /** `sendMessage` within a transaction of the app, which then was rolled back. Nothing was sent. */
  COMET_ROLLED_BACK: 409,
  /**
   * A page's message was handled, or begun to be, and nobody knows what came of it: the process died, or the handler
   * took longer than `handlerTimeoutSeconds`. It is not run again.
   */
  COMET_OUTCOME_IS_UNKNOWN: 409,
  /** `initializeClient` with a public or private token that is in use. */
  COMET_CLIENT_ALREADY_EXISTS: 409,
  /** The client is a member of `maxGroupsPerClient` groups. It has to leave one first. */
  COMET_CLIENT_HAS_TOO_MANY_GROUPS: 409,
  /** A message's contents are over `maxMessageBytes`. */
  COMET_MESSAGE_IS_TOO_LARGE: 413,
  /** A request's body is over its limit. */
  COMET_BODY_IS_TOO_LARGE: 413,
  /** A request's body is neither a form nor JSON. */
  COMET_MEDIA_TYPE_IS_UNSUPPORTED: 415,
  /**
   * A handler of `onMessage` refused what a page sent, by `ctx.throw` or another error with `expose`: with that error's own
   * status and text. A `CometRefusal` has the app's own code instead.
   */
  COMET_SEND_IS_REFUSED: 422,
  /** A client makes more than `maxRequestsPerSecond` requests beside its subscription, or more at once than can wait. */
  COMET_TOO_MANY_REQUESTS: 429,
  /** `maxClientsPerUser` clients of this user exist. */
  COMET_USER_HAS_TOO_MANY_CLIENTS: 429,
  /** Something unforeseen on the server: an option's function threw, for one. The event `error` has it. */
  COMET_INTERNAL_ERROR: 500,
  /**
   * A handler of `onMessage` failed, or one of the options `authorize`, `joinable` and `clientList` at what a page asks
   * for. The event `error` has what it threw.
   */
  COMET_SEND_HAS_FAILED: 500,
  /** An earlier attempt to send this is being worked on by another node. Ask again. */
  COMET_SEND_IS_RUNNING: 503,
  /** `maxClients` clients exist. */
  COMET_TOO_MANY_CLIENTS: 503,
  /** This node holds `maxHeldRequests` requests. */
  COMET_TOO_MANY_REQUESTS_ARE_HELD: 503,
  /** `maxQueuedOperations` or `maxQueuedBytes` of operations wait for the provider. Nothing was stored. */
  COMET_QUEUE_IS_FULL: 503,
  /**
   * The state provider failed, did not answer in time, has not ended an earlier call, or has lost touch with its store.
   * Whether a send was stored is unknown: repeat it with the same `key`.
   */
  COMET_PROVIDER_IS_UNAVAILABLE: 503,
  /** `cursor()`, `getMessages()`, or `sendMessage` within a transaction, before the channel was opened. */
  COMET_CHANNEL_IS_NOT_OPEN: 503,
  /** The channel is closing or closed. */
  COMET_CHANNEL_IS_CLOSED: 503,
} as const

/** The stable code of a {@link CometException}. */
export type CometErrorCode = keyof typeof ERRORS

/**
 * What pages are told of errors of the server. Their own texts are the app's business: they speak of its store, of
 * addresses, of limits.
 */
const PUBLIC_TEXTS: { readonly [code in CometErrorCode]?: string } = {
  COMET_INTERNAL_ERROR: 'The server failed. Try again later.',
  COMET_SEND_HAS_FAILED: 'The app failed at what was sent to it.',
  COMET_SEND_IS_RUNNING: 'The app is at an earlier attempt still. Try again later.',
  COMET_TOO_MANY_CLIENTS: 'The channel has too many clients. Try again later.',
  COMET_TOO_MANY_REQUESTS_ARE_HELD: 'The server holds too many requests. Try again later.',
  COMET_QUEUE_IS_FULL: 'The channel has too much to do. Try again later.',
  COMET_PROVIDER_IS_UNAVAILABLE: 'The store of the channel does not answer. Try again later.',
  COMET_CHANNEL_IS_NOT_OPEN: 'The channel is not open yet. Try again later.',
  COMET_CHANNEL_IS_CLOSED: 'The channel is closing. Try again later.',
}

export interface CometExceptionOptions {
  readonly cause?: unknown
  readonly details?: unknown
  readonly retryOverSeconds?: number | undefined
}

/** An error in operation: its `code` is stable, its `status` is the HTTP status that says the same. */
export class CometException extends Error {
  override readonly name = 'CometException'
  readonly code: CometErrorCode
  readonly status: number
  /** Koa shows the text of an error to the page when this is true. */
  readonly expose: boolean
  /** Over how many seconds those who are sent away should come back, if that is known. */
  readonly retryOverSeconds: number | undefined
  /** What there is to say beside the text: JSON, which the page is shown. */
  readonly details: unknown

  constructor(code: CometErrorCode, message: string, options: CometExceptionOptions = {}) {
    super(message, options)
    this.code = code
    this.status = ERRORS[code]
    this.expose = this.status < 500
    this.retryOverSeconds = options.retryOverSeconds
    this.details = options.details
  }

  /** What a page is told: the text, or one that says no more than the code does if it is not to be shown. */
  get publicText(): string {
    return PUBLIC_TEXTS[this.code] ?? this.message
  }
}

/** The texts that more than one place, or the AspNetComet wire, needs word for word. */
export const ErrorText = {
  clientDoesNotExist: 'CometClient does not exist.',
  clientAlreadyExists: 'CometClient already exists. Either the Private or Public Token is in use.',
} as const

/**
 * Names what was to be sent to whom: a rejection that nobody caught shows no line of the app. A receiver as long as a
 * private token may be one, given by mistake, and Koa shows this text to whoever asked.
 */
export function unknownReceiverText(name: string, receiver: string): string {
  const shown = receiver.length < MIN_PRIVATE_TOKEN_LENGTH ? JSON.stringify(receiver) : 'that was given'
  return `The message ${JSON.stringify(name)} was not sent: no client has the public token ${shown}.`
}

export function tooManyGroupsText(most: unknown): string {
  return `A client can be a member of ${most} groups. Leave one first, or raise maxGroupsPerClient.`
}

/** @param inSeconds when the last one will have been sent away, if that is known */
export function channelIsClosed(inSeconds: number | undefined): CometException {
  const text = 'This channel is closing. Another node may serve you.'
  return new CometException('COMET_CHANNEL_IS_CLOSED', text, { retryOverSeconds: inSeconds })
}
