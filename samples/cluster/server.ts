import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createControl } from './control.ts'
import { Fleet } from './fleet.ts'
import { forward } from './proxy.ts'
import { startRedis } from './redis-process.ts'

const { REDIS_URL, PORT = '3000' } = process.env

const redis = REDIS_URL === undefined ? await startRedis().catch(giveUp) : undefined
const fleet = new Fleet(redis?.url ?? REDIS_URL!)
await fleet.start().catch(giveUp)

const control = createControl(fleet).callback()
const server = createServer((request, response) => {
  if (/^\/nodes(\/|$)/.test(request.url!)) void control(request, response)
  else void forward(request, response, fleet.nextPorts())
})
server.once('error', giveUp)
server.listen(Number(PORT), '127.0.0.1', () => {
  console.log(`The cluster is at http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  if (redis) console.log(`Its nodes share a Redis of their own, at ${redis.url}`)
})

// What was started ends with this process: nodes as well as Redis see to that by themselves.
function giveUp({ message }: Error): never {
  console.error(message)
  process.exit(1)
}

// The nodes first, so that what they hold is answered.
async function shutDown(): Promise<void> {
  await fleet.end()
  server.close()
  server.closeAllConnections()
  await redis?.end()
}

process.once('SIGINT', shutDown)
process.once('SIGTERM', shutDown)
