import { goesOn } from './goes-on.ts'
import type { ProviderNode } from './provider-node.ts'
import type { ProviderNodes } from './provider-nodes.ts'

/** Opened after the process of all there was has died; `undefined` if the store begins a new life. */
export async function crashed(nodes: ProviderNodes, node: ProviderNode): Promise<ProviderNode | undefined> {
  await nodes.crash(node)
  const after = await nodes.open()
  return goesOn(node.listener, after) ? after : undefined
}

/** Nobody waits for what a process that dies has asked. */
export function ignore(call: Promise<unknown>): void {
  call.catch(() => undefined)
}
