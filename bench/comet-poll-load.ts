import { randomBytes } from 'node:crypto'
import { servePollLoad } from './poll-load.ts'
import { PollSocket } from './poll-socket.ts'

servePollLoad(
  ({ port, localAddress, privateToken }) =>
    new PollSocket(port, localAddress, privateToken, randomBytes(16).toString('base64url')),
)
