import { debuglog } from 'node:util'

/** `NODE_DEBUG=comet` shows the channel's life, `comet-subscribe` each request, `comet*` both. */
export const debugChannel = debuglog('comet')
export const debugSubscribe = debuglog('comet-subscribe')
