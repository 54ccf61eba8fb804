import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** The processor cores that processes of the benchmark are pinned to. */
export interface Cores {
  /** Of all servers: they take turns. */
  readonly server: number
  /** Of the loads, and of all else that is at work with a server. */
  readonly load: number
}

/** Nothing where the system cannot pin processes, or has one core. */
export const CORES: Cores | undefined = findCores()

export const NOTE_ON_CORES = CORES
  ? `Servers run on core ${CORES.server} alone, loads and all else on core ${CORES.load}.`
  : 'Processes are not pinned to cores: there is no taskset here, or one core only.'

/** Keeps this process from the servers' core, and with it those that it starts and pins to none. */
export function leaveServersCore(): void {
  if (CORES) spawnSync('taskset', ['-cp', `${CORES.load}`, `${process.pid}`])
}

/** The cores that a list of Linux names, such as `0-3,8`. */
export function coresIn(list: string): number[] {
  return list
    .trim()
    .split(',')
    .flatMap((range) => {
      const [first, last = first] = range.split('-').map(Number)
      return Array.from({ length: last! - first! + 1 }, (_, index) => first! + index)
    })
}

function findCores(): Cores | undefined {
  if (spawnSync('taskset', ['--version']).status !== 0) return undefined
  const allowed = /^Cpus_allowed_list:(.*)$/m.exec(readFileSync('/proc/self/status', 'utf8'))
  const [server, load] = coresIn(allowed?.[1] ?? '')
  return server === undefined || load === undefined ? undefined : { server, load }
}
