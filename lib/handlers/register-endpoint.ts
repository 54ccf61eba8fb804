import { randomBytes } from 'node:crypto'
import type { Context } from 'koa'
import { JSON_HEADERS } from '../answer.ts'
import type { ChannelClients } from '../channel-clients.ts'
import type { InitializedCometClient } from '../comet-client.ts'
import { CometException } from '../comet-exception.ts'
import { formatCursor } from '../cursor.ts'
import type { CompleteOptions } from '../options.ts'
import { answerNow } from '../subscribe/held-response.ts'
import { type RegisterAnswer, WIRE_VERSION } from '../wire.ts'
import type { Endpoint } from './guarded.ts'
import { isRefusal, principalOf } from './identity.ts'
import { readFields } from './request-body.ts'
import { type SessionOf, sessionOf } from './session.ts'
import type { TokenCookie } from './token-cookie.ts'

type Register = NonNullable<CompleteOptions['register']>

/**
 * `POST …/register`: makes a client for the page that asks, as the option `register` says. With the field `cookie` its
 * private token is given as a cookie alone, for a native EventSource.
 */
export class RegisterEndpoint implements Endpoint {
  readonly methods = ['POST']
  readonly #register: Register
  readonly #options: CompleteOptions
  readonly #cookie: TokenCookie
  readonly #sessionOf: SessionOf
  readonly #clients: ChannelClients

  constructor(register: Register, options: CompleteOptions, cookie: TokenCookie, clients: ChannelClients) {
    this.#register = register
    this.#options = options
    this.#cookie = cookie
    this.#sessionOf = sessionOf(options)
    this.#clients = clients
  }

  async handle(ctx: Context): Promise<void> {
    const { cookie } = await readFields(ctx)
    const { userId, parameters } = await this.#askApp(ctx)
    if (parameters === null) throw refused()
    // A forgotten return must not let everybody in.
    if (typeof parameters !== 'object') {
      throw new TypeError(
        `register must give an object, or null to refuse the page, not ${typeof parameters}.`,
      )
    }
    const publicToken = randomBytes(16).toString('base64url')
    const sessionId = parameters.sessionId ?? (await this.#sessionOf(ctx))
    const client = await this.#clients.initialize({
      publicToken,
      ...(userId !== undefined && { userId }),
      ...(sessionId !== undefined && { sessionId }),
      // What is undefined is not given, and must not take the place of a default.
      ...Object.fromEntries(Object.entries(parameters).filter(([, value]) => value !== undefined)),
    })
    const answer = answerFor(client, this.#options.keepAliveSeconds)
    // As JSON and as a form.
    const wantsCookie = cookie === true || cookie === 'true'
    if (wantsCookie) this.#cookie.give(ctx, client.privateToken)
    const given = wantsCookie ? answer : { ...answer, privateToken: client.privateToken }
    answerNow(ctx, { status: 200, headers: JSON_HEADERS, body: JSON.stringify(given) })
  }

  async #askApp(
    ctx: Context,
  ): Promise<{ userId: string | undefined; parameters: Awaited<ReturnType<Register>> }> {
    try {
      return { userId: await principalOf(ctx, this.#options.identify), parameters: await this.#register(ctx) }
    } catch (error) {
      throw isRefusal(error) ? refused() : error
    }
  }
}

function refused(): CometException {
  return new CometException('COMET_REGISTRATION_IS_REFUSED', 'The app does not let this page in.')
}

function answerFor(
  client: InitializedCometClient,
  keepAliveSeconds: number,
): Omit<RegisterAnswer, 'privateToken'> {
  return {
    publicToken: client.publicToken,
    displayName: client.displayName,
    cursor: formatCursor(client.start),
    connectionTimeoutSeconds: client.connectionTimeoutSeconds,
    connectionIdleSeconds: client.connectionIdleSeconds,
    keepAliveSeconds,
    version: WIRE_VERSION,
  }
}
