/** What this process has taken up so far. */
export interface ProcessCost {
  /** Bytes that are in use after a garbage collection. */
  readonly heapBytes: number
  readonly residentBytes: number
  /** User and system, in microseconds. */
  readonly cpuMicroseconds: number
}

/** Needs `node --expose-gc`, which processes of the benchmark have. */
export function collectedCost(): ProcessCost {
  if (globalThis.gc === undefined) throw new Error('Run this with node --expose-gc.')
  globalThis.gc()
  globalThis.gc()
  const { heapUsed, rss } = process.memoryUsage()
  return { heapBytes: heapUsed, residentBytes: rss, cpuMicroseconds: cpuMicroseconds() }
}

export function cpuMicroseconds(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}

/** Milliseconds on a clock that processes of one machine share. */
export function sharedNow(): number {
  return performance.timeOrigin + performance.now()
}

/** In which thousands of streams are written to, 500 in each. */
export const TURNS_PER_MESSAGE = 10

export async function passTurns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise(setImmediate)
}
