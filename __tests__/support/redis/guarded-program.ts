import { RedisServer } from './redis-server.ts'

/** The program of a process that starts a server, tells of it, and waits for its end. */
const { pid, folder } = await RedisServer.start()
process.send!({ pid, folder })
