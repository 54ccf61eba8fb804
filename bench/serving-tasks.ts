import type { Server } from 'node:http'
import { PerformanceObserver } from 'node:perf_hooks'
import { listening } from './listening.ts'
import { collectedCost, cpuMicroseconds } from './process-cost.ts'

/** What every process can be asked that has a server of Node in itself. */
export function servingTasks(server: Server) {
  return { listen: () => listening(server), initialise: anyPages, ...costTasks() }
}

/** What a process says of itself. */
export function costTasks() {
  let garbageMs = 0
  new PerformanceObserver((seen) => {
    for (const { duration } of seen.getEntries()) garbageMs += duration
  }).observe({ entryTypes: ['gc'] })
  return {
    cost: collectedCost,
    cpu: cpuMicroseconds,
    /** How long all else stood still for garbage collections so far, in microseconds. */
    garbage: () => garbageMs * 1000,
  }
}

/** Whoever comes is served; as long as real ones: what a request says is kept with it. */
function anyPages(count: number): string[] {
  return Array<string>(count).fill('t'.repeat(43))
}
