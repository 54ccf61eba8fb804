import { randomBytes } from 'node:crypto'
import type { Context } from 'koa'
import { JSON_HEADERS } from '../answer.ts'
import type { InitializedCometClient } from '../comet-client.ts'
import { CometException } from '../comet-exception.ts'
import { formatCursor } from '../cursor.ts'
import type { InitializeParameters } from '../initialize-parameters.ts'
import type { CompleteOptions } from '../options.ts'
import { answerNow } from '../subscribe/held-response.ts'
import { type RegisterAnswer, WIRE_VERSION } from '../wire.ts'
import type { Endpoint } from './guarded.ts'
import { isRefusal, principalOf } from './identity.ts'
import { readFields } from './request-body.ts'

type Register = NonNullable<CompleteOptions['register']>
type Initialize = (parameters: InitializeParameters) => Promise<InitializedCometClient>

/** `POST …/register`: makes a client for the page that asks, as the option `register` says. */
export class RegisterEndpoint implements Endpoint {
  readonly methods = ['POST']
  readonly #register: Register
  readonly #identify: CompleteOptions['identify']
  readonly #initialize: Initialize

  constructor(register: Register, identify: CompleteOptions['identify'], initialize: Initialize) {
    this.#register = register
    this.#identify = identify
    this.#initialize = initialize
  }

  async handle(ctx: Context): Promise<void> {
    await readFields(ctx)
    const { userId, parameters } = await this.#askApp(ctx)
    if (parameters === null) throw refused()
    // A forgotten return must not let everybody in.
    if (typeof parameters !== 'object') {
      throw new TypeError(
        `register must give an object, or null to refuse the page, not ${typeof parameters}.`,
      )
    }
    const publicToken = randomBytes(16).toString('base64url')
    const client = await this.#initialize({
      publicToken,
      ...(userId !== undefined && { userId }),
      // What is undefined is not given, and must not take the place of a default.
      ...Object.fromEntries(Object.entries(parameters).filter(([, value]) => value !== undefined)),
    })
    answerNow(ctx, { status: 200, headers: JSON_HEADERS, body: JSON.stringify(answerFor(client)) })
  }

  async #askApp(
    ctx: Context,
  ): Promise<{ userId: string | undefined; parameters: Awaited<ReturnType<Register>> }> {
    try {
      return { userId: await principalOf(ctx, this.#identify), parameters: await this.#register(ctx) }
    } catch (error) {
      throw isRefusal(error) ? refused() : error
    }
  }
}

function refused(): CometException {
  return new CometException('COMET_REGISTRATION_IS_REFUSED', 'The app does not let this page in.')
}

function answerFor(client: InitializedCometClient): RegisterAnswer {
  return {
    publicToken: client.publicToken,
    privateToken: client.privateToken,
    displayName: client.displayName,
    cursor: formatCursor(client.start),
    connectionTimeoutSeconds: client.connectionTimeoutSeconds,
    connectionIdleSeconds: client.connectionIdleSeconds,
    version: WIRE_VERSION,
  }
}
