import type { ResetContents } from '../lib/wire.ts'
import type { CometError } from './comet-error.ts'
import type { ConnectionState } from './connection-states.ts'

/** What a channel's events have as their `detail`. */
export interface EventDetails {
  statechange: { readonly state: ConnectionState; readonly previous: ConnectionState }
  reset: ResetContents
  connectionslow: null
  error: CometError
}
