import { serveSocketIo } from './socket-io.js'

/** socket.io whose pages poll. */
serveSocketIo({ transports: ['polling'] })
