import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serveTasks } from './child-process.ts'
import { collectedCost, cpuMicroseconds, passTurns, sharedNow } from './process-cost.ts'

/** The yardstick: Node's own server, with nothing but an array of the responses that it holds. */

const held: ServerResponse[] = []
const server = createServer((_request, response) => held.push(response))

/** To the first ones that are held, by one shared Buffer. */
function answer(count: number, text: string): void {
  const body = Buffer.from(`[{"mid":1,"n":"Bench","c":${JSON.stringify(text)}}]`)
  const headers = { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': body.length }
  for (const response of held.splice(0, count)) response.writeHead(200, headers).end(body)
}

const tasks = {
  async listen(): Promise<number> {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  },
  /** Whoever comes is served; as long as real ones: what a request says is kept with it. */
  initialise: (count: number): string[] => Array<string>(count).fill('t'.repeat(43)),
  cost: collectedCost,
  cpu: cpuMicroseconds,
  held: () => held.length,
  send(text: string): number {
    const at = sharedNow()
    answer(held.length, text)
    return at
  },
  broadcast: (text: string): void => answer(held.length, text),
  /** To one page after another, each in a turn of its own. */
  async unicast({ count, text }: { count: number; text: string }): Promise<void> {
    for (let sent = 0; sent < count; sent++) {
      answer(1, text)
      await passTurns(1)
    }
  },
}

export type RawServerTasks = typeof tasks

serveTasks(tasks)
