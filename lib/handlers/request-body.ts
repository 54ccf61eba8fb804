import type { Context } from 'koa'
import bodyParser from 'koa-bodyparser'
import { CometException } from '../comet-exception.ts'
import { type HasRequest, requestHeader } from '../subscribe/request-header.ts'

/** Enough for tokens and names. */
const MAX_FIELDS_BYTES = 4096

const parseFields = parserOf(MAX_FIELDS_BYTES)

/** Reads a body into `ctx.request.body`, unless the app has done so. */
export type BodyParser = (ctx: Context) => Promise<void>

/** Throws `COMET_BODY_IS_TOO_LARGE` for more than so many bytes. */
export function parserOf(maxBytes: number): BodyParser {
  const limit = String(maxBytes)
  const parse = bodyParser({ enableTypes: ['form', 'json'], formLimit: limit, jsonLimit: limit })
  return async (ctx) => {
    try {
      await parse(ctx, async () => {})
    } catch (error) {
      // The parser has stopped reading. A rest that nobody reads blocks its connection, and on HTTP/2 outlives it.
      ctx.req.resume()
      throw cleanError(error, maxBytes)
    }
  }
}

/** Whether the body is a form, by its declared type. */
export function isForm(ctx: Context): boolean {
  return Boolean(ctx.is('application/x-www-form-urlencoded'))
}

/**
 * The fields of a form or JSON body, of at most 4 KiB unless another parser is given; of none, if there is no body. One that the app has parsed
 * already is used as it is. The parser's own errors carry the raw body, private token included: none gets out.
 */
export async function readFields(
  ctx: Context,
  parse = parseFields,
): Promise<Readonly<Record<string, unknown>>> {
  const isParsed = ctx.request.body !== undefined
  if (!isParsed && hasBody(ctx) && !isForm(ctx) && !ctx.is('json')) {
    throw new CometException('COMET_MEDIA_TYPE_IS_UNSUPPORTED', 'The body must be a form or JSON.')
  }
  if (!isParsed && isOfUnknownLength(ctx)) {
    ctx.req.resume()
    const text = 'A body over HTTP/2 needs a Content-Length.'
    throw new CometException('COMET_PARAMETERS_ARE_INVALID', text)
  }
  await parse(ctx)
  const { body } = ctx.request
  return typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {}
}

/** Whether a body comes with the request, whatever its method. */
export function hasBody(ctx: HasRequest): boolean {
  return (
    ctx.req.headers['transfer-encoding'] !== undefined ||
    Number(requestHeader(ctx, 'content-length') || 0) > 0
  )
}

/** Whether more than headers comes on a stream of HTTP/2 that does not tell its length: the parser wants that. */
function isOfUnknownLength({ req }: Context): boolean {
  const { stream } = req as typeof req & { readonly stream?: { readonly endAfterHeaders: boolean } }
  return stream?.endAfterHeaders === false && req.headers['content-length'] === undefined
}

function cleanError(error: unknown, maxBytes: number): CometException {
  const status = typeof error === 'object' && error !== null && 'status' in error ? error.status : undefined
  if (status === 413)
    return new CometException('COMET_BODY_IS_TOO_LARGE', `The body must be at most ${maxBytes} bytes.`)
  return new CometException('COMET_PARAMETERS_ARE_INVALID', 'The body cannot be read.')
}
