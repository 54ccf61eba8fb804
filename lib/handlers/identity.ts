import type { Context } from 'koa'
import type { CometClient } from '../comet-client.ts'
import { CometException } from '../comet-exception.ts'
import type { CompleteOptions } from '../options.ts'

/** Who sent the request, if the app tells. */
export async function principalOf(
  ctx: Context,
  identify: CompleteOptions['identify'],
): Promise<string | undefined> {
  return (await identify?.(ctx)) ?? undefined
}

/** A client stays with the principal it was initialised for: promise 9. */
export async function checkIdentity(
  ctx: Context,
  client: CometClient,
  identify: CompleteOptions['identify'],
): Promise<void> {
  if (identify === null) return
  const principal = await principalOf(ctx, identify)
  if (principal === client.userId) return
  if (principal === undefined) {
    throw new CometException(
      'COMET_IDENTITY_IS_LOST',
      'The login of this client is gone. Log in and initialise anew.',
    )
  }
  throw new CometException(
    'COMET_IDENTITY_HAS_CHANGED',
    'This client belongs to another login. Initialise anew.',
  )
}
