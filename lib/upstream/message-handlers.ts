import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Context } from 'koa'
import { checkText } from '../checks.ts'
import type { CometClient } from '../comet-client.ts'
import { CometException } from '../comet-exception.ts'
import type { Awaitable } from '../options.ts'

/** Who sent what a handler is given, and with which request. */
export interface Sent<C extends Context = Context> {
  readonly client: CometClient
  /** Koa's context of the request that is answered with what the handler gives. The channel answers it. */
  readonly ctx: C
  /** Aborts when the handler has taken `handlerTimeoutSeconds`: nobody waits for its result any more. */
  readonly signal: AbortSignal
}

export type MessageHandler = (contents: never, sent: Sent<never>) => Awaitable<unknown>

export interface MessageHandlerOptions<S extends StandardSchemaV1 = StandardSchemaV1> {
  /** Checks the contents first, and gives what the handler gets: of any library that keeps to Standard Schema. */
  readonly schema?: S | undefined
}

/** Runs a handler with contents that are checked. */
export type Run = (sent: Sent) => Awaitable<unknown>

interface Registered {
  readonly handler: (contents: unknown, sent: Sent) => Awaitable<unknown>
  readonly schema: StandardSchemaV1 | undefined
}

/** What the app does with what pages send, by name. */
export class MessageHandlers {
  readonly #byName = new Map<string, Registered>()

  /** Adds the handler of a name. The returned function takes it away. */
  add(name: string, handler: MessageHandler, { schema, ...others }: MessageHandlerOptions): () => void {
    checkText('The name of a message', name, 128)
    if (typeof handler !== 'function') {
      throw new TypeError(`The handler of '${name}' must be a function, not ${typeof handler}.`)
    }
    const [unknown] = Object.keys(others)
    if (unknown !== undefined) throw new TypeError(`onMessage has the option schema, not '${unknown}'.`)
    if (schema !== undefined && typeof schema?.['~standard']?.validate !== 'function') {
      throw new TypeError(
        `The schema of '${name}' is none: a Standard Schema is expected, as zod makes them.`,
      )
    }
    if (this.#byName.has(name)) throw new TypeError(`'${name}' has a handler already.`)
    const registered = { handler: handler as Registered['handler'], schema }
    this.#byName.set(name, registered)
    return () => {
      if (this.#byName.get(name) === registered) this.#byName.delete(name)
    }
  }

  /** The handler of that name, for contents that its schema accepts. Rejects with what the page is to be told. */
  async prepare(name: string, contents: unknown): Promise<Run> {
    const registered = this.#byName.get(name)
    if (registered === undefined) {
      const text = `The app does not listen to ${JSON.stringify(name)}.`
      throw new CometException('COMET_HANDLER_DOES_NOT_EXIST', text)
    }
    const { handler, schema } = registered
    const checked = schema ? await validated(schema, contents) : contents
    return (sent) => handler(checked, sent)
  }
}

/** How much a page is told of what is wrong with its contents: it may be wrong in thousands of places. */
const MAX_ISSUES = 20
const MAX_TEXT = 200

function keyOf(step: PropertyKey | { readonly key: PropertyKey }): string {
  return String(typeof step === 'object' ? step.key : step)
}

async function validated(schema: StandardSchemaV1, contents: unknown): Promise<unknown> {
  const result = await schema['~standard'].validate(contents)
  if (!result.issues) return result.value
  const details = result.issues.slice(0, MAX_ISSUES).map(({ message, path = [] }) => ({
    message: message.slice(0, MAX_TEXT),
    path: path.slice(0, MAX_ISSUES).map((step) => keyOf(step).slice(0, MAX_TEXT)),
  }))
  const text = `The contents are not as the app expects them: ${details[0]?.message ?? 'they are refused'}`
  throw new CometException('COMET_CONTENTS_ARE_INVALID', text, { details })
}
