import type { Context } from 'koa'
import type { CometClient } from '../comet-client.ts'
import { CometException } from '../comet-exception.ts'
import type { CompleteOptions } from '../options.ts'

/** Who sent the request, if the app tells. */
export async function principalOf(
  ctx: Context,
  identify: CompleteOptions['identify'],
): Promise<string | undefined> {
  const principal = (await identify?.(ctx)) ?? undefined
  if (principal === undefined || typeof principal === 'string') return principal
  throw new TypeError(`identify must give a text, or null for nobody, not ${typeof principal}.`)
}

/** Whether an option's function said no in Koa's way: by `ctx.throw(401)` or `ctx.throw(403)`. */
export function isRefusal(error: unknown): error is Error & { readonly status: 401 | 403 } {
  if (typeof error !== 'object' || error === null || !('status' in error && 'expose' in error)) return false
  return error.expose === true && (error.status === 401 || error.status === 403)
}

/** A client stays with the principal it was initialised for: promise 9. */
export async function checkIdentity(
  ctx: Context,
  client: CometClient,
  identify: CompleteOptions['identify'],
): Promise<void> {
  if (identify === null) return
  const principal = await principalOf(ctx, identify).catch((error: unknown) => {
    throw isRefusal(error) ? identityIsLost() : error
  })
  if (principal === client.userId) return
  if (principal === undefined) throw identityIsLost()
  throw new CometException(
    'COMET_IDENTITY_HAS_CHANGED',
    'This client belongs to another login. Initialise anew.',
  )
}

function identityIsLost(): CometException {
  const text = 'The login of this client is gone. Log in and initialise anew.'
  return new CometException('COMET_IDENTITY_IS_LOST', text)
}
