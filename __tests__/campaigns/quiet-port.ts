import { once } from 'node:events'
import { createServer } from 'node:net'
import type { SeededRandom } from '../../providers/contract/seeded-random.ts'

/** Below what systems give to sockets that connect: one of these could take the port while its server is down. */
const LOWEST = 20_000
const COUNT = 10_000

/** A port of the loopback address that is free, and stays so while nobody listens. */
export async function quietPort(random: SeededRandom): Promise<number> {
  for (;;) {
    const port = LOWEST + random.below(COUNT)
    const server = createServer()
    const failed = once(server, 'error').then(() => false)
    const listening = once(server.listen(port, '127.0.0.1'), 'listening').then(() => true)
    listening.catch(() => {})
    if (await Promise.race([listening, failed])) {
      server.close()
      await once(server, 'close')
      return port
    }
  }
}
