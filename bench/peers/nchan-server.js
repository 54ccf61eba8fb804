import { serveTasks } from '../../dist/bench/child-process.js'
import { HttpSocket } from '../../dist/bench/http-socket.js'
import { Nginx } from './nginx.js'
import { broadcastTask, messageOf, newPages, unicastTask } from './peer-server.js'

/**
 * Nchan: nginx has the pages, and this process publishes to it. A stream has the channel of all; a poll that one and one
 * of its page's own.
 */

const [module] = process.argv.slice(2)

const configure = (port) => `
load_module ${module};
daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr warn;
events {
  worker_connections 20000;
}
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  keepalive_timeout 3600s;
  keepalive_requests 1000000000;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    nchan_subscriber_first_message newest;
    nchan_message_buffer_length 100;
    location = /comet {
      nchan_subscriber eventsource;
      nchan_channel_id all;
    }
    location ~ ^/poll/(.+)$ {
      nchan_subscriber longpoll;
      nchan_channel_id all page/$1;
    }
    location ~ ^/publish/(.+)$ {
      nchan_publisher http;
      nchan_channel_id $1;
    }
    location = /status {
      nchan_stub_status;
    }
  }
}
`

const nginx = new Nginx()
/** One for each message that is published at the same time. */
const sockets = []
let pages = []

/** A connection to nginx that waits for no answer. */
async function idleSocket() {
  const socket = sockets.pop()
  if (socket) return socket
  const made = new HttpSocket(nginx.port, '127.0.0.1')
  await made.connected()
  return made
}

async function ask(lines, body) {
  const socket = await idleSocket()
  const answer = await socket.exchange(lines, body)
  sockets.push(socket)
  return answer
}

async function publish(channel, text) {
  const { status } = await ask([`POST /publish/${channel} HTTP/1.1`], JSON.stringify(messageOf(text)))
  if (!/^HTTP\/1.1 20[12] /.test(status)) throw new Error(`nginx answered a message by ${status}.`)
}

serveTasks({
  async listen() {
    await nginx.start(configure)
    return nginx.port
  },
  initialise(count) {
    pages = newPages(count)
    return pages
  },
  cpu: () => nginx.cpu(),
  /** It has no heap that is collected. */
  garbage: () => Number.NaN,
  cost: () => ({
    heapBytes: Number.NaN,
    residentBytes: nginx.residentBytes(),
    cpuMicroseconds: nginx.cpu(),
  }),
  async held() {
    const { body } = await ask(['GET /status HTTP/1.1'])
    return Number(/^subscribers: (\d+)/m.exec(body)[1])
  },
  ...broadcastTask((text) => publish('all', text)),
  ...unicastTask(
    () => pages,
    (page, text) => publish(`page/${page}`, text),
  ),
})
