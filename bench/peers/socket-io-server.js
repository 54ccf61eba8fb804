import { once } from 'node:events'
import { createServer } from 'node:http'
import { Server } from 'socket.io'
import { serveTasks } from '../../dist/bench/child-process.js'
import { cpuMicroseconds, passTurns } from '../../dist/bench/process-cost.js'

/** socket.io by itself, whose pages poll. They answer no pings, and none is sent. */

const NEVER_MS = 3_600_000

const server = createServer()
const io = new Server(server, { transports: ['polling'], pingInterval: NEVER_MS, pingTimeout: NEVER_MS })

serveTasks({
  async listen() {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return server.address().port
  },
  /** Whoever comes is served. */
  initialise: (count) => Array(count).fill(''),
  cpu: cpuMicroseconds,
  held: () => Object.values(io.engine.clients).filter(({ transport }) => transport.writable).length,
  broadcast: (text) => {
    io.emit('Bench', { n: 'Bench', c: text })
  },
  async unicast({ count, text }) {
    const ids = [...io.sockets.sockets.keys()]
    for (let sent = 0; sent < count; sent++) {
      io.to(ids[sent % ids.length]).emit('Bench', { n: 'Bench', c: text })
      await passTurns(1)
    }
  },
})
