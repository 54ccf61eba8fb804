import { broadcastInTurns, unicastInTurns } from '../../dist/bench/sends.js'

export { servingTasks } from '../../dist/bench/serving-tasks.js'

/** What the servers of all peers do alike, as tasks for the process that measures them. */

/** For pings and time limits: longer than the benchmark takes. */
export const NEVER_MS = 3_600_000

/** What every message is, for those that send objects. */
export const messageOf = (text) => ({ n: 'Bench', c: text })

/** @param send sends a text to all pages */
export function broadcastTask(send) {
  return { broadcast: ({ count, together, text }) => broadcastInTurns({ count, together }, () => send(text)) }
}

/**
 * @param receivers lists the pages that are there
 * @param send sends a text to one of them
 */
export function unicastTask(receivers, send) {
  return {
    unicast({ count, text }) {
      const all = receivers()
      return unicastInTurns({ count }, (number) => send(all[number % all.length], text))
    },
  }
}

let known = 0

/** Names for so many pages that are told apart. */
export function newPages(count) {
  return Array.from({ length: count }, () => {
    known += 1
    return `${known}`
  })
}
