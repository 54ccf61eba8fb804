import { createServer } from 'node:http'
import { Server } from 'socket.io'
import { serveTasks } from '../../dist/bench/child-process.js'
import { broadcastTask, messageOf, NEVER_MS, servingTasks, unicastTask } from './peer-server.js'

/** Pages answer no pings, and none is sent. */
export const WITHOUT_PINGS = { pingInterval: NEVER_MS, pingTimeout: NEVER_MS }

/** Serves pages of socket.io, given its own options. */
export function serveSocketIo(options) {
  const server = createServer()
  const io = new Server(server, { ...WITHOUT_PINGS, ...options })
  serveTasks({
    ...servingTasks(server),
    held: () => Object.values(io.engine.clients).filter(({ transport }) => transport.writable).length,
    ...broadcastTask((text) => {
      io.emit('Bench', messageOf(text))
    }),
    ...unicastTask(
      () => [...io.sockets.sockets.keys()],
      (id, text) => {
        io.to(id).emit('Bench', messageOf(text))
      },
    ),
  })
}
