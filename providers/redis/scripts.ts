import { createHash } from 'node:crypto'
import { CHANNEL_LUA } from './lua/channel.ts'
import { CLAIMS_LUA } from './lua/claims.ts'
import { CLIENTS_LUA } from './lua/clients.ts'
import {
  APPEND_LUA,
  CLAIM_LUA,
  GET_CLIENT_LUA,
  LIST_CLIENTS_LUA,
  PENDING_STOPS_LUA,
  POSITION_LUA,
  RENEW_LEASES_LUA,
  SETTLE_LUA,
  STOP_STEP_LUA,
  SWEEP_LUA,
} from './lua/commands.ts'
import { LEASES_LUA } from './lua/leases.ts'
import { LOG_LUA } from './lua/log.ts'
import { OPERATIONS_LUA } from './lua/operations.ts'
import { STOPS_LUA } from './lua/stops.ts'

/** A script of the server's, and the name that it goes by there. */
export interface Script {
  readonly source: string
  readonly sha1: string
}

const WITH_CLIENTS = [CHANNEL_LUA, LOG_LUA, CLAIMS_LUA, CLIENTS_LUA, STOPS_LUA]
const WITH_OPERATIONS = [...WITH_CLIENTS, OPERATIONS_LUA]
const WITH_LEASES = [...WITH_OPERATIONS, LEASES_LUA]

/** Each is one atomic step. */
export const SCRIPTS = {
  position: script(CHANNEL_LUA, POSITION_LUA),
  append: script(...WITH_OPERATIONS, APPEND_LUA),
  stopStep: script(...WITH_CLIENTS, STOP_STEP_LUA),
  pendingStops: script(...WITH_CLIENTS, PENDING_STOPS_LUA),
  getClient: script(...WITH_CLIENTS, GET_CLIENT_LUA),
  listClients: script(...WITH_CLIENTS, LIST_CLIENTS_LUA),
  renewLeases: script(...WITH_LEASES, RENEW_LEASES_LUA),
  sweep: script(...WITH_LEASES, SWEEP_LUA),
  claim: script(...WITH_CLIENTS, CLAIM_LUA),
  settle: script(...WITH_CLIENTS, SETTLE_LUA),
} as const

function script(...parts: readonly string[]): Script {
  const source = parts.join('')
  return { source, sha1: createHash('sha1').update(source).digest('hex') }
}
