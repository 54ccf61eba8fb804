import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import Koa, { type Middleware } from 'koa'

export interface Served {
  readonly app: Koa
  readonly server: Server
  readonly port: number
  /** `http://127.0.0.1:<port>` */
  readonly origin: string
  close(): Promise<void>
}

/** A real Koa app on a free port of the loopback address. Koa's own error log is off: tests listen to `error`. */
export async function serve(...middleware: Middleware[]): Promise<Served> {
  const app = new Koa()
  app.silent = true
  for (const each of middleware) app.use(each)
  return { app, ...(await listen(app.callback())) }
}

/** A server of HTTP/1 on a free port of the loopback address. */
export async function listen(listener: RequestListener): Promise<Omit<Served, 'app'>> {
  const server = createServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    server,
    port,
    origin: `http://127.0.0.1:${port}`,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
