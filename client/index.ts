export type {
  ClientsAnswer,
  MembershipContents,
  ResetContents,
  ResetReason,
  UpdateContents,
  WireClient,
  WireMessage,
} from '../lib/wire.ts'
export type { CometChannelEventMap } from './channel-events.ts'
export { CometChannel } from './comet-channel.ts'
export { CometError } from './comet-error.ts'
export type { ConnectionState } from './connection-states.ts'
export type { PresenceNotices } from './message-types.ts'
export type { CometChannelOptions, PageStorage, PrivateToken } from './options.ts'
export type { TransportName } from './transport-choice.ts'
