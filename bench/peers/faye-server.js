import { createServer } from 'node:http'
import { promisify } from 'node:util'
import faye from 'faye'
import { serveTasks } from '../../dist/bench/child-process.js'
import { broadcastTask, messageOf, NEVER_MS, newPages, servingTasks, unicastTask } from './peer-server.js'

/** faye with a channel for all pages, and one for each. Its pages have a WebSocket or poll. */

const bayeux = new faye.NodeAdapter({ mount: '/faye', timeout: NEVER_MS / 1000 })
const server = createServer()
bayeux.attach(server)

let pages = []
/** Ids of those that can be sent to. */
const connected = new Set()
/** Of these, pages whose poll waited when they went: faye does not notice it. */
let lost = new Set()
bayeux.bind('connection:open', (id) => connected.add(id))
bayeux.bind('connection:close', (id) => {
  connected.delete(id)
  lost.delete(id)
})

const openSockets = promisify(server.getConnections.bind(server))
const client = bayeux.getClient()
// It connects by this, and is no page.
await client.publish('/start', {})
connected.clear()

serveTasks({
  ...servingTasks(server),
  initialise(count) {
    pages = newPages(count)
    return pages
  },
  async held() {
    if ((await openSockets()) === 0) lost = new Set(connected)
    return connected.size - lost.size
  },
  ...broadcastTask((text) => client.publish('/all', messageOf(text))),
  ...unicastTask(
    () => pages,
    (page, text) => client.publish(`/page/${page}`, messageOf(text)),
  ),
})
