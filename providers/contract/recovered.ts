import assert from 'node:assert/strict'
import type { ProviderNode } from './provider-node.ts'
import { eventually } from './waiting.ts'

/**
 * Waits until a node has found out by itself that its store is back. Answers whether it goes on in the life of the log
 * that is named: only a store that is not durable may have begun a new one.
 */
export async function recovered(
  { provider, listener }: ProviderNode,
  epoch: string,
  seconds: number,
): Promise<boolean> {
  const isBack = async () => {
    const reached = await provider.catchUp().then(
      () => true,
      () => false,
    )
    return reached && listener.isAvailable
  }
  await eventually('a node is in touch with its store again', isBack, seconds)
  const goesOn = listener.log.epoch === epoch
  assert.ok(goesOn || !provider.supports.durable, 'a durable store goes on in the same life of the log')
  return goesOn
}
