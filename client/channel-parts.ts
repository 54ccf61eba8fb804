import { CometError } from './comet-error.ts'
import { type Connection, createConnection, type Emit } from './connection.ts'
import { Http } from './http.ts'
import { Identity } from './identity.ts'
import { createListeners, type Listeners } from './listeners.ts'
import {
  type CometChannelOptions,
  checkOptions,
  checkType,
  isToken,
  type PrivateToken,
  refusal,
  TRANSPORTS,
} from './options.ts'
import { PageMemory } from './page-memory.ts'

/** What a channel consists of. */
export interface ChannelParts {
  readonly identity: Identity
  readonly listeners: Listeners
  readonly connection: Connection
}

/** Makes them of what a channel is given. Throws a TypeError if that is not as described. */
export function createParts(
  url: string | URL,
  privateToken: PrivateToken | null | undefined,
  alias: string,
  options: CometChannelOptions,
  emit: Emit,
): ChannelParts {
  checkOptions(options)
  checkType('alias', 'a string', alias)
  if (typeof privateToken !== 'function' && !isToken(privateToken ?? 'none')) {
    throw refusal('privateToken', 'visible ASCII or a function', typeof privateToken)
  }
  const { signal, storage, log, transports = TRANSPORTS } = options
  const address = new Request(url).url
  const http = new Http(address, options)
  const identity = new Identity(privateToken, new PageMemory(storage, address, alias), http)
  const listeners = createListeners((cause) => {
    const isUnhandled = emit('error', new CometError('COMET_HANDLER_FAILED', true, { cause }))
    if (isUnhandled) (globalThis.reportError ?? console.error)(cause)
  })
  const connection = createConnection({ alias, http, identity, listeners, transports, emit })
  if (log) listeners.add('log', log)
  signal?.addEventListener('abort', connection.end)
  if (signal?.aborted) connection.end()
  return { identity, listeners, connection }
}
