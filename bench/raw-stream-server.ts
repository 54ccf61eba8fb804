import { createServer, type ServerResponse } from 'node:http'
import { serveTasks } from './child-process.ts'
import { type Broadcasts, broadcastInTurns } from './sends.ts'
import { servingTasks } from './serving-tasks.ts'

/**
 * The yardstick: Node's own server, which writes one shared Buffer to each response of an array. Who comes again is
 * given what was missed in one Buffer, of those that were shared.
 */

/** What a stream begins with. */
const HELLO = Buffer.from(':\n\n')

let held: ServerResponse[] = []
/** The message `mid` is at `mid - 1`. */
const frames: Buffer[] = []

const server = createServer((request, response) => {
  const lastEventId = request.headers['last-event-id']
  const missed = lastEventId === undefined ? [] : frames.slice(Number(lastEventId))
  response.writeHead(200, { 'Content-Type': 'text/event-stream' })
  response.write(Buffer.concat([HELLO, ...missed]))
  held.push(response)
})

function send(text: string): void {
  const mid = frames.length + 1
  const frame = Buffer.from(`id: ${mid}\ndata: {"mid":${mid},"n":"Bench","c":${JSON.stringify(text)}}\n\n`)
  frames.push(frame)
  for (const response of held) response.write(frame)
}

const tasks = {
  ...servingTasks(server),
  held(): number {
    held = held.filter(({ destroyed }) => !destroyed)
    return held.length
  },
  broadcast: (messages: Broadcasts): Promise<void> => broadcastInTurns(messages, () => send(messages.text)),
}

serveTasks(tasks)
