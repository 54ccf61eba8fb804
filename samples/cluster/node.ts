import type { AddressInfo } from 'node:net'
import { RedisCometStateProvider } from 'koa-comet/providers/redis'
import { createClient } from 'redis'
import { createClusterApp } from './app.ts'

// The program of one node. `NodeProcess` starts it, and is told the port.

const { NODE_NAME = '1', REDIS_URL = 'redis://127.0.0.1:6379' } = process.env

// Ctrl-C reaches all processes of the terminal: who started this one says when it is to end, or is gone.
process.on('SIGINT', () => {})
process.once('disconnect', () => process.exit())
if (process.connected === false) process.exit()

const provider = new RedisCometStateProvider(createClient({ url: REDIS_URL }), { prefix: 'koa-comet-sample' })
const { app, channel } = createClusterApp(provider, NODE_NAME)
await channel.open().catch(({ message }) => {
  console.error(message)
  process.exit(1)
})

const server = app.listen(0, '127.0.0.1', () => {
  process.send?.((server.address() as AddressInfo).port)
})

const LONGEST_REQUEST_MS = 10_000

// First the channel, so that the requests that it holds are answered and their pages go on at other nodes.
async function shutDown(): Promise<void> {
  await channel.close()
  server.close(() => process.exit())
  setTimeout(() => server.closeAllConnections(), LONGEST_REQUEST_MS).unref()
}

process.once('SIGTERM', shutDown)
