import { createServer } from 'node:http'
import { createAdapter } from '@socket.io/redis-streams-adapter'
import { createClient } from 'redis'
import { Server } from 'socket.io'
import { serveTasks } from '../../dist/bench/child-process.js'
import { sendInBursts } from '../../dist/bench/send-in-bursts.js'
import { messageOf, servingTasks } from './peer-server.js'
import { WITHOUT_PINGS } from './socket-io.js'

/** A node of socket.io with its adapter for streams of Redis, as its documentation shows it. */

const [url] = process.argv.slice(2)
const redis = createClient({ url })
await redis.connect()

const server = createServer()
const io = new Server(server, { adapter: createAdapter(redis), transports: ['websocket'], ...WITHOUT_PINGS })

serveTasks({
  ...servingTasks(server),
  held: () => io.sockets.sockets.size,
  async sendToEach({ receivers, messagesEach, text }) {
    const sockets = await io.fetchSockets()
    if (sockets.length !== receivers) throw new Error(`${sockets.length} of ${receivers} sockets are known.`)
    const ids = sockets.map(({ id }) => id)
    await sendInBursts(ids, messagesEach, async (burst) => {
      for (const id of burst) io.to(id).emit('Bench', messageOf(text))
    })
  },
})
