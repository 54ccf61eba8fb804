import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type Koa from 'koa'

/** An app served at a socket of the file system. */
export interface LocalSocket {
  readonly server: Server
  /** What a client connects to. */
  readonly where: { readonly path: string }
  close(): Promise<void>
}

/**
 * Serves an app where a reader that takes nothing is soon noticed: loopback TCP takes up to 4 MB from a writer before
 * it says no, a local socket a tenth of one.
 */
export async function serveLocally(app: Koa): Promise<LocalSocket> {
  const folder = await mkdtemp(join(tmpdir(), 'comet-socket-'))
  const path = join(folder, 'socket')
  const server = createServer(app.callback())
  server.listen(path)
  await once(server, 'listening')
  return {
    server,
    where: { path },
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
      await rm(folder, { recursive: true })
    },
  }
}
