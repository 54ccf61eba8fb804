import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type Koa from 'koa'
import type { CometStateManager } from 'koa-comet'

export interface RunningSample {
  readonly port: number
  /** `http://127.0.0.1:<port>` */
  readonly origin: string
  close(): Promise<void>
}

/** A sample in this process. Default: on a free port. */
export async function runSample(
  sample: { readonly app: Koa; readonly channel: CometStateManager },
  atPort = 0,
): Promise<RunningSample> {
  const server = createServer(sample.app.callback())
  server.listen(atPort, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    port,
    origin: `http://127.0.0.1:${port}`,
    async close() {
      await sample.channel.close()
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
