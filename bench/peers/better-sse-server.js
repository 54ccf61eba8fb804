import { createServer } from 'node:http'
import { createChannel, createSession } from 'better-sse'
import { serveTasks } from '../../dist/bench/child-process.js'
import { broadcastTask, messageOf, servingTasks } from './peer-server.js'

/** better-sse on Node's own server, with a channel, as its documentation shows it. No pings are sent. */

const channel = createChannel()
const server = createServer(async (request, response) => {
  channel.register(await createSession(request, response, { keepAlive: null }))
})

serveTasks({
  ...servingTasks(server),
  held: () => channel.sessionCount,
  ...broadcastTask((text) => {
    channel.broadcast(messageOf(text))
  }),
})
