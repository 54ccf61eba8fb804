import assert from 'node:assert/strict'
import type { ProviderNode } from './provider-node.ts'
import type { RecordingListener } from './recording-listener.ts'

/**
 * Whether a store goes on with the life of the log of which an earlier listener was told. Fails if it begins a new one
 * though it is durable, and if it can give an id twice.
 */
export function goesOn(before: RecordingListener, { provider, listener }: ProviderNode): boolean {
  if (listener.log.epoch === before.log.epoch) {
    assert.ok(listener.head >= before.head, `the head is ${listener.head} after it was ${before.head}`)
    return true
  }
  assert.ok(!provider.supports.durable, 'a durable store goes on in the same life of the log')
  const { trimmedThrough } = listener.log
  assert.ok(trimmedThrough >= before.head, `a new life begins at ${trimmedThrough}, below ${before.head}`)
  return false
}
