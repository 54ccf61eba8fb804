import type { CometOptions } from 'koa-comet'
import { InProcCometStateProvider, InProcStorage } from 'koa-comet/providers/in-proc'
import { openSite, type Site } from '../support/site.ts'
import { GatedProvider } from './gated-provider.ts'

/** One node of a channel, served on a port of its own, and the gate before its store. */
export interface Node extends Site {
  readonly gate: GatedProvider
}

/** Nodes of one channel over one store, each open. `closeSites()` ends them. */
export async function openNodes(count: number, options: CometOptions = {}): Promise<Node[]> {
  const storage = new InProcStorage()
  return Promise.all(Array.from({ length: count }, () => openNode(storage, options)))
}

export async function openNode(storage = new InProcStorage(), options: CometOptions = {}): Promise<Node> {
  const gate = new GatedProvider(new InProcCometStateProvider({ storage }))
  const site = await openSite({ provider: gate, options })
  await site.channel.open()
  return { ...site, gate }
}

/** Two nodes of one channel: the first is the one that a test makes lag. */
export async function openTwoNodes(options: CometOptions = {}): Promise<{ lagging: Node; current: Node }> {
  const [lagging, current] = await openNodes(2, options)
  return { lagging: lagging!, current: current! }
}
