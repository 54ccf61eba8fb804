import { setTimeout as pause } from 'node:timers/promises'

const LOOK_AGAIN_MS = 20

/** Resolves when the condition holds, or after a time: then the check finds what is missing. */
export async function waitUntil(condition: () => boolean, atMostMs: number): Promise<void> {
  const giveUpAt = performance.now() + atMostMs
  while (!condition() && performance.now() < giveUpAt) await pause(LOOK_AGAIN_MS)
}
