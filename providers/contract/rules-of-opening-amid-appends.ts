import assert from 'node:assert/strict'
import type { Entry } from '../../lib/comet-state-provider.ts'
import { send } from './operations.ts'
import type { ProviderNode } from './provider-node.ts'
import type { RecordingListener } from './recording-listener.ts'
import type { Rule } from './rule.ts'
import { moments, repeat, turns } from './waiting.ts'

const ROUNDS = 16

/** What is appended while a node opens is in its window, or is fed to it. */
export function rulesOfOpeningAmidAppends(rule: Rule): void {
  rule('A node that opens while others append is told each entry once', async ({ create, open, reopen }) => {
    const [here, there] = [await open(), await open()]
    const appendMs = await durationOfAnAppend(here)
    for (let round = 0; round < ROUNDS; round += 1) {
      const node = await create()
      const reset = new Promise<void>((resolve) => {
        node.listener.onReset = resolve
      })
      let isOpen = false
      const opened = passPartOf(appendMs, round)
        .then(() => reopen(node))
        .finally(() => {
          isOpen = true
        })
      const appendMeanwhile = async (appending: ProviderNode) => {
        await repeat(
          () => appending.append(send('Meanwhile')),
          () => !isOpen,
        )
      }
      // The other begins with the reset: from there to the feed it may be one turn.
      const sinceReset = Promise.race([reset, opened]).then(() => appendMeanwhile(there))
      await Promise.all([opened, appendMeanwhile(here), sinceReset])
      for (const appending of [here, there]) await appending.append(send('After'))
      const log = await here.told()
      await node.provider.catchUp()
      assertNothingLost(node.listener, log)
      node.listener.assertSound()
      assert.deepEqual(node.listener.told, log)
      await node.provider.close()
    }
  })
}

async function durationOfAnAppend(node: ProviderNode): Promise<number> {
  const before = performance.now()
  await node.append(send())
  return performance.now() - before
}

/** Waits for a part of this time, another in each round, so that openings begin at all points of an append. */
async function passPartOf(milliseconds: number, round: number): Promise<void> {
  const until = performance.now() + (milliseconds * round) / ROUNDS
  await moments(round)
  while (performance.now() < until) await turns(1)
}

/** Fails with what is missing, and where it was lost. */
function assertNothingLost({ told, log: { head } }: RecordingListener, log: readonly Entry[]): void {
  const ids = new Set(told.map(({ id }) => id))
  const lost = log.map(({ id }) => id).filter((id) => !ids.has(id))
  const explanation = `Its reset had the head ${head}, but neither reset nor feed told of ${lost.length} entries`
  assert.ok(lost.length === 0, `${explanation} that came while it opened, from ${lost[0]} to ${lost.at(-1)}`)
}
