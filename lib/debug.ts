import { debuglog } from 'node:util'

/** `NODE_DEBUG=comet` shows the channel's life, `comet-subscribe` each poll and each refusal, `comet*` both. */
export const debugChannel = debuglog('comet')
export const debugSubscribe = debuglog('comet-subscribe')
