import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serveTasks } from './child-process.ts'
import { collectedCost, cpuMicroseconds, sharedNow } from './process-cost.ts'

/** The yardstick: Node's own server, with nothing but an array of the responses that it holds. */

let held: ServerResponse[] = []
const server = createServer((_request, response) => held.push(response))

function answerAll(text: string): void {
  const body = Buffer.from(`[{"mid":1,"n":"Bench","c":${JSON.stringify(text)}}]`)
  const headers = { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': body.length }
  const answered = held
  held = []
  for (const response of answered) response.writeHead(200, headers).end(body)
}

const tasks = {
  async listen(): Promise<number> {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  },
  cost: collectedCost,
  cpu: cpuMicroseconds,
  held: () => held.length,
  send(text: string): number {
    const at = sharedNow()
    answerAll(text)
    return at
  },
}

export type RawServerTasks = typeof tasks

serveTasks(tasks)
