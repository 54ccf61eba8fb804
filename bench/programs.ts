import { ATTACHED, OURS, RAW } from './result.ts'
import type { SidePrograms } from './side.ts'

/** The sides that are no peers. */

export const COMET_POLLS = programs(OURS, 'comet-server', 'comet-poll-load')
export const ATTACHED_POLLS = attached(COMET_POLLS)
export const RAW_POLLS = programs(RAW, 'raw-server', 'comet-poll-load')
export const KOA_POLLS = programs('Koa alone', 'koa-server', 'comet-poll-load')

export const COMET_STREAMS = programs(OURS, 'comet-server', 'comet-stream-load')
export const ATTACHED_STREAMS = attached(COMET_STREAMS)
export const RAW_STREAMS = programs(RAW, 'raw-stream-server', 'comet-stream-load')

/** Two nodes of them need the address of a Redis. */
export const RAW_REDIS_STREAMS = programs(RAW, 'raw-redis-node', 'comet-stream-load')

function programs(name: string, server: string, load: string): SidePrograms {
  return { name, server: programOf(server), load: programOf(load) }
}

/** The same, past Koa. */
function attached(programs: SidePrograms): SidePrograms {
  return { ...programs, name: ATTACHED, args: ['--attach'] }
}

function programOf(name: string): URL {
  return new URL(`./${name}.js`, import.meta.url)
}
