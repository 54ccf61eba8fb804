export type { Audience } from './audience.ts'
export type { ClientCounts } from './channel-clients.ts'
export type { ChannelEvents, DisconnectReason } from './channel-events.ts'
export type { ChannelStats } from './channel-stats.ts'
export type { CometAction } from './comet-action.ts'
export { MAX_CLAIMS_PER_CLIENT } from './comet-claim.ts'
export {
  type CometClient,
  type InitializedCometClient,
  type PublicCometClient,
  publicPartOf,
} from './comet-client.ts'
export { type CometErrorCode, CometException } from './comet-exception.ts'
export type { CometMessage } from './comet-message.ts'
export { CometStateManager } from './comet-state-manager.ts'
export {
  type Claim,
  type ClaimOutcome,
  type ClaimReply,
  type ClientRecord,
  type Done,
  type Entry,
  type ICometStateProvider,
  type LeaseOutcome,
  type LeaseRenewal,
  type Operation,
  type Outcome,
  type ProviderListener,
  type ProviderSupports,
  type RemovedClient,
  type RetainedLog,
  type Retention,
  type SendOperation,
  SWEEP_PERIOD_SECONDS,
} from './comet-state-provider.ts'
export type { Cursor } from './cursor.ts'
export type { RequestServer } from './handlers/fast-lane.ts'
export type { HistoryOptions, SentMessage } from './history.ts'
export type { InitializeParameters, UpdateParameters } from './initialize-parameters.ts'
export {
  groupsOf,
  initialMemberships,
  isMember,
  MAX_ENDED_MEMBERSHIPS,
  type Membership,
  type MembershipRecord,
  withJoined,
  withLeft,
} from './memberships.ts'
export type { RequestType } from './message-types.ts'
export type { CometOptions, TransportName } from './options.ts'
export type { SendOptions } from './send-parameters.ts'
export { topicsOf } from './topics.ts'
export { CometRefusal } from './upstream/comet-refusal.ts'
export type { Sent } from './upstream/message-handlers.ts'
// Not exported: the log, the wait list, leases, transports. They are the channel's own rooms.
