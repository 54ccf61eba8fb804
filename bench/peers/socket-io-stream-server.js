import { serveSocketIo } from './socket-io.js'

/** socket.io over WebSockets. */
serveSocketIo({ transports: ['websocket'] })
