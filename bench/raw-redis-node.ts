import { createServer, type ServerResponse } from 'node:http'
import { createClient } from 'redis'
import { serveTasks } from './child-process.ts'
import { listening } from './listening.ts'
import { type Bursts, sendInBursts } from './send-in-bursts.ts'
import { servingTasks } from './serving-tasks.ts'

/** The yardstick: Node's own server, which reads a stream of Redis, and writes each message to one response of an array. */

const STREAM = 'raw'
/** Redis drops the oldest, as it does for the others. */
const TRIM = { strategy: 'MAXLEN', strategyModifier: '~', threshold: 10_000 } as const

const [url] = process.argv.slice(2)
// Else node-redis makes a timer for each command, to give up what it could not send: a sixth of what this node costs.
const writer = createClient({ url: url!, commandOptions: { timeout: 0 } })
const reader = writer.duplicate()

const held: ServerResponse[] = []

const server = createServer((_request, response) => {
  response.writeHead(200, { 'Content-Type': 'text/event-stream' })
  response.write(':\n\n')
  held.push(response)
})

interface Message {
  readonly to: number
  readonly text: string
}

/** Until the process ends. */
async function follow(): Promise<never> {
  for (let last = '0'; ; ) {
    const read = await reader.xRead({ key: STREAM, id: last }, { BLOCK: 5000, COUNT: 1000 })
    for (const { id, message } of read?.[0]?.messages ?? []) {
      last = id
      const { to, text } = JSON.parse(message.json!) as Message
      // The node that sends has none.
      held[to]?.write(`id: ${id}\ndata: {"mid":"${id}","n":"Bench","c":${JSON.stringify(text)}}\n\n`)
    }
  }
}

function send(message: Message): Promise<string> {
  return writer.xAdd(STREAM, '*', { json: JSON.stringify(message) }, { TRIM })
}

const tasks = {
  ...servingTasks(server),
  async listen(): Promise<number> {
    await Promise.all([writer.connect(), reader.connect()])
    void follow()
    return listening(server)
  },
  held: () => held.length,
  sendToEach: ({ receivers, messagesEach, text }: Bursts): Promise<void> =>
    sendInBursts([...Array(receivers).keys()], messagesEach, (burst) =>
      Promise.all(burst.map((to) => send({ to, text }))),
    ),
}

serveTasks(tasks)
