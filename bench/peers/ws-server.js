import { createServer } from 'node:http'
import { WebSocketServer } from 'ws'
import { serveTasks } from '../../dist/bench/child-process.js'
import { broadcastTask, messageOf, servingTasks } from './peer-server.js'

/** ws, which sends one Buffer to each of its clients, as its documentation shows it. */

const server = createServer()
const sockets = new WebSocketServer({ server })

serveTasks({
  ...servingTasks(server),
  held: () => sockets.clients.size,
  ...broadcastTask((text) => {
    const message = Buffer.from(JSON.stringify(messageOf(text)))
    for (const socket of sockets.clients) socket.send(message, { binary: false })
  }),
})
