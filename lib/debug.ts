import { createHash } from 'node:crypto'
import { debuglog } from 'node:util'

/** `NODE_DEBUG=comet` shows the channel's life, `comet-subscribe` each request, `comet*` both. */
export const debugChannel = debuglog('comet')
export const debugSubscribe = debuglog('comet-subscribe')

/** What is stored and compared instead of a private token. */
export function hashToken(privateToken: string): string {
  return createHash('sha256').update(privateToken).digest('base64url')
}
