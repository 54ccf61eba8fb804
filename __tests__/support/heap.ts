import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose_gc')
const collectGarbage = runInNewContext('gc') as () => void

/** What is in use when all garbage is gone. */
export function heapBytes(): number {
  collectGarbage()
  return process.memoryUsage().heapUsed
}

/** What is in use when all garbage is gone, with what lies outside of the heap: buffers, for one. */
export async function heldBytes(): Promise<number> {
  collectGarbage()
  // What buffers held is given back a little later.
  await new Promise((resolve) => setImmediate(resolve))
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
