import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { serveTasks } from './child-process.ts'
import { sharedNow } from './process-cost.ts'
import { type Broadcasts, broadcastInTurns, type Unicasts, unicastInTurns } from './sends.ts'
import { servingTasks } from './serving-tasks.ts'

/** The least that a server of polls does: responses in an array, and one shared Buffer for all of them. */

let held: ServerResponse[] = []

/** To the first ones that are held. */
function answer(count: number, text: string): void {
  const body = Buffer.from(`[{"mid":1,"n":"Bench","c":${JSON.stringify(text)}}]`)
  const headers = { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': body.length }
  for (const response of held.splice(0, count)) response.writeHead(200, headers).end(body)
}

function tasksWith(listener: RequestListener) {
  const server = createServer(listener)
  return {
    ...servingTasks(server),
    held(): number {
      held = held.filter(({ destroyed }) => !destroyed)
      return held.length
    },
    send(text: string): number {
      const at = sharedNow()
      answer(held.length, text)
      return at
    },
    broadcast: (messages: Broadcasts): Promise<void> =>
      broadcastInTurns(messages, () => answer(held.length, messages.text)),
    unicast: (messages: Unicasts): Promise<void> =>
      unicastInTurns(messages, async () => {
        // Pages that are kept from polling would miss it.
        while (held.length === 0) await pause(1)
        answer(1, messages.text)
      }),
  }
}

/**
 * Serves polls.
 *
 * @param listenerWith makes what takes a request, and gives its response to `hold`
 */
export function serveHeldResponses(
  listenerWith: (hold: (response: ServerResponse) => void) => RequestListener,
): void {
  serveTasks(tasksWith(listenerWith((response) => held.push(response))))
}
