import { once } from 'node:events'
import { createServer } from 'node:http'
import { createAdapter } from '@socket.io/redis-streams-adapter'
import { createClient } from 'redis'
import { Server } from 'socket.io'
import { sendInBursts } from '../../dist/bench/bursts.js'
import { serveTasks } from '../../dist/bench/child-process.js'
import { cpuMicroseconds } from '../../dist/bench/process-cost.js'

/** A node of socket.io with its adapter for streams of Redis, as its documentation shows it. */

const [url] = process.argv.slice(2)
const redis = createClient({ url })
await redis.connect()

const server = createServer()
const io = new Server(server, { adapter: createAdapter(redis), transports: ['websocket'] })

serveTasks({
  async listen() {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return server.address().port
  },
  /** Whoever comes is served. */
  initialise: (count) => Array(count).fill(''),
  cpu: cpuMicroseconds,
  async sendToEach({ receivers, messagesEach, text }) {
    const sockets = await io.fetchSockets()
    if (sockets.length !== receivers) throw new Error(`${sockets.length} of ${receivers} sockets are known.`)
    const ids = sockets.map(({ id }) => id)
    await sendInBursts(ids, messagesEach, async (burst) => {
      for (const id of burst) io.to(id).emit('Bench', text)
    })
  },
})
