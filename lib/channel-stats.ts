import type { ChannelNode } from './channel-node.ts'

/** What a channel's node can be asked about itself at any time. */
export interface ChannelStats {
  /** The life of the log; empty before the channel is open. */
  readonly epoch: string
  /** The newest id that this node has applied. */
  readonly head: number
  /** Everything up to this id may have been dropped. */
  readonly trimmedThrough: number
  readonly retainedMessages: number
  /** About how many bytes of memory the retained messages take. */
  readonly retainedBytes: number
  /** Polls and streams, and those that the AspNetComet form answers a second later. */
  readonly heldRequests: number
  /** Clients that came to this node and whose lease may still run. */
  readonly knownClients: number
  readonly queuedOperations: number
}

export function statsOf({ log, waitList, lateAnswers, probes, leases, queue }: ChannelNode): ChannelStats {
  return {
    epoch: log.epoch,
    head: log.head,
    trimmedThrough: log.trimmedThrough,
    retainedMessages: log.messageCount,
    retainedBytes: log.bytes,
    heldRequests: waitList.size + lateAnswers.size + probes.size,
    knownClients: leases.size,
    queuedOperations: queue.length,
  }
}
