import type { AddressInfo } from 'node:net'
import { createTicTacToe } from './app.ts'

const { app, channel } = createTicTacToe()

const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  console.log(`Tic-tac-toe is at http://127.0.0.1:${(server.address() as AddressInfo).port}`)
})

const LONGEST_REQUEST_MS = 10_000

// First the channel, so that the requests that it holds are answered and their pages come back elsewhere.
async function shutDown(): Promise<void> {
  await channel.close()
  server.close()
  setTimeout(() => server.closeAllConnections(), LONGEST_REQUEST_MS).unref()
}

process.once('SIGINT', shutDown)
process.once('SIGTERM', shutDown)
