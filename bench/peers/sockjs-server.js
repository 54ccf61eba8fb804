import { createServer } from 'node:http'
import sockjs from 'sockjs'
import { serveTasks } from '../../dist/bench/child-process.js'
import { broadcastTask, messageOf, NEVER_MS, servingTasks, unicastTask } from './peer-server.js'

/**
 * sockjs, whose pages have a stream or poll, as they like. It sends no pings, and its streams do not end after 128 KiB as
 * they do by default.
 */

const connections = new Set()
const server = createServer()
const sockets = sockjs.createServer({
  prefix: '/sockjs',
  log: () => {},
  heartbeat_delay: NEVER_MS,
  response_limit: Number.MAX_SAFE_INTEGER,
})
sockets.on('connection', (connection) => {
  connections.add(connection)
  connection.on('close', () => connections.delete(connection))
})
sockets.installHandlers(server)

/** A message is a text for sockjs. */
const textOf = (text) => JSON.stringify(messageOf(text))

serveTasks({
  ...servingTasks(server),
  /** Between two polls a connection has no receiver. */
  held: () => [...connections].filter(({ _session }) => _session?.recv).length,
  ...broadcastTask((text) => {
    const message = textOf(text)
    for (const connection of connections) connection.write(message)
  }),
  ...unicastTask(
    () => [...connections],
    (connection, text) => {
      connection.write(textOf(text))
    },
  ),
})
