export type { ChannelEvents, DisconnectReason } from './channel-events.ts'
export type { ChannelStats } from './channel-stats.ts'
export type { CometClient, InitializedCometClient } from './comet-client.ts'
export { type CometErrorCode, CometException } from './comet-exception.ts'
export type { CometMessage } from './comet-message.ts'
export { CometStateManager } from './comet-state-manager.ts'
export {
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
export type { InitializeParameters } from './initialize-parameters.ts'
export type { CometOptions, TransportName } from './options.ts'
export type { SendOptions } from './send-parameters.ts'
// Not exported: the log, the wait list, leases, transports. They are the channel's own rooms.
