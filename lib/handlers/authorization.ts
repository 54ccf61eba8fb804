import type { Context } from 'koa'
import type { CometAction } from '../comet-action.ts'
import { CometException } from '../comet-exception.ts'
import type { CompleteOptions } from '../options.ts'
import { isRefusal } from './identity.ts'

/** Asks the app whether a client may do this now. Throws `COMET_LOGIN_IS_NEEDED` or `COMET_ACTION_IS_REFUSED` if not. */
export async function authorize(
  ctx: Context,
  ask: CompleteOptions['authorize'],
  action: CometAction,
): Promise<void> {
  if (ask === null) return
  try {
    if (await isAllowed('authorize', async () => ask(ctx, action))) return
  } catch (error) {
    if (!isRefusal(error)) throw error
    // What Koa is told to expose is for whoever asked.
    const code = error.status === 401 ? 'COMET_LOGIN_IS_NEEDED' : 'COMET_ACTION_IS_REFUSED'
    throw new CometException(code, error.message)
  }
  throw refusedAction()
}

export function refusedAction(): CometException {
  return new CometException('COMET_ACTION_IS_REFUSED', 'The app does not let this client do this.')
}

/** A forgotten return must not let everybody in, nor keep them out without a word. */
export async function isAllowed(option: string, ask: () => Promise<boolean>): Promise<boolean> {
  const isAllowed: unknown = await ask()
  if (typeof isAllowed === 'boolean') return isAllowed
  throw new TypeError(`The option ${option} must give true or false, not ${typeof isAllowed}.`)
}
