import { serveSocketIo } from './socket-io.js'

/** socket.io over WebSockets that keeps what pages miss, for two minutes by default. */
serveSocketIo({ transports: ['websocket'], connectionStateRecovery: {} })
