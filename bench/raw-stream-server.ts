import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serveTasks } from './child-process.ts'
import { collectedCost, cpuMicroseconds, passTurns, TURNS_PER_MESSAGE } from './process-cost.ts'

/** The yardstick: Node's own server, which writes one shared Buffer to each response of an array. */

const held: ServerResponse[] = []

const server = createServer((_request, response) => {
  response.writeHead(200, { 'Content-Type': 'text/event-stream' })
  response.write(':\n\n')
  held.push(response)
})

let mid = 0

const tasks = {
  async listen(): Promise<number> {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  },
  cost: collectedCost,
  cpu: cpuMicroseconds,
  held: () => held.length,
  /** One message after another, with as many turns of the event loop between. */
  async sendMany({ count, text }: { count: number; text: string }): Promise<void> {
    for (let sent = 0; sent < count; sent++) {
      mid += 1
      const frame = Buffer.from(
        `id: epoch:${mid}\ndata: {"mid":${mid},"n":"Bench","c":${JSON.stringify(text)}}\n\n`,
      )
      for (const response of held) response.write(frame)
      await passTurns(TURNS_PER_MESSAGE)
    }
  },
}

export type RawStreamServerTasks = typeof tasks

serveTasks(tasks)
