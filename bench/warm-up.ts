import { TEXT } from './sends.ts'
import type { Side } from './side.ts'

const PAGES = 100
const MESSAGES = 60

/**
 * Lets few pages come, be sent messages, and go. V8 decides early, and then for long, whether what code makes is
 * short-lived. Of pages that come all at once and are sent nothing meanwhile, all lives on: it would take each poll's
 * objects for old ever after.
 */
export async function warmUp(side: Side): Promise<void> {
  await side.open(await side.initialise(PAGES))
  for (let sent = 0; sent < MESSAGES; sent++) await side.broadcast({ count: 1, together: 1, text: TEXT })
  await side.drop()
}
