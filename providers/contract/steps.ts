import type {
  Claim,
  ClaimReply,
  InitialiseOperation,
  JoinOperation,
  LeaseRenewal,
  LeaveOperation,
  RemoveOperation,
  SendOperation,
  StopOperation,
  UpdateOperation,
} from '../../lib/comet-state-provider.ts'

/** One step of a history: plain data, so that it can be printed, left out, and done again. */
export type Step =
  /** Makes the calls at once. One alone is what happens without a race. */
  | { readonly step: 'call'; readonly calls: readonly PlannedCall[] }
  /** As `call`; so many turns later the process of a node, or of all, dies, and is started again. */
  | {
      readonly step: 'crash'
      readonly who: number | 'all'
      readonly turns: number
      readonly calls: readonly PlannedCall[]
    }
  /** As `call`; so many turns later, or before if 0, the store begins to fail in the way of this number. */
  | {
      readonly step: 'interrupt'
      readonly way: number
      readonly turns: number
      readonly calls: readonly PlannedCall[]
    }
  /** A new node opens, to take the place of this one. The calls are made so many turns after it has begun to. */
  | {
      readonly step: 'open'
      readonly node: number
      readonly turns: number
      readonly calls: readonly PlannedCall[]
    }
  | { readonly step: 'catch up' | 'reopen'; readonly node: number }
  /** All nodes are closed for so long before the first is opened again. */
  | { readonly step: 'restart'; readonly seconds: number }
  | { readonly step: 'pass'; readonly seconds: number }

/** A call of the provider of one of the two nodes. */
export type PlannedCall =
  | { readonly node: number; readonly call: 'append'; readonly operations: readonly PlannedOperation[] }
  | { readonly node: number; readonly call: 'renew'; readonly renewals: readonly PlannedRenewal[] }
  | { readonly node: number; readonly call: 'read'; readonly publicToken: string; readonly earlier: boolean }
  | { readonly node: number; readonly call: 'claim'; readonly claims: readonly Planned<Claim>[] }
  | { readonly node: number; readonly call: 'settle'; readonly replies: readonly Planned<ClaimReply>[] }
  | { readonly node: number; readonly call: 'sweep' }

/** Who bears a public token is known only when a history runs: `earlier` means the bearer before the newest one. */
export type Planned<T> = Omit<T, 'generation'> & { readonly earlier: boolean }

/** Without `earlier` it is about whoever bears the public token. */
export type PlannedOperation =
  | SendOperation
  | InitialiseOperation
  | StopOperation
  | UpdateOperation
  | JoinOperation
  | LeaveOperation
  | Planned<UpdateOperation>
  | Planned<JoinOperation>
  | Planned<LeaveOperation>
  | Planned<RemoveOperation>

export interface PlannedRenewal extends Planned<Omit<LeaseRenewal, 'acknowledged'>> {
  /** To acknowledge the position this far below the head. */
  readonly acknowledgedBelowHead?: number
}
