import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose_gc')
const collectGarbage = runInNewContext('gc') as () => void

/** What is in use when all garbage is gone. */
export function heapBytes(): number {
  collectGarbage()
  return process.memoryUsage().heapUsed
}
