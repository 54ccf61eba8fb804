import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SqliteCometStateProvider } from 'koa-comet/providers/sqlite'
import { createChat } from './app.ts'

const file = process.env.CHAT_FILE ?? join(tmpdir(), 'koa-comet-chat.db')
// In memory alone it is: createChat(new InProcCometStateProvider(), ':memory:')
const { app, channel, messages } = await createChat(new SqliteCometStateProvider(file), file)

const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  console.log(`The chat is at http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  console.log(`It is kept in ${file}`)
})

const LONGEST_REQUEST_MS = 10_000

// First the channel, so that the requests that it holds are answered and their pages come back elsewhere.
async function shutDown(): Promise<void> {
  await channel.close()
  messages.close()
  server.close()
  setTimeout(() => server.closeAllConnections(), LONGEST_REQUEST_MS).unref()
}

process.once('SIGINT', shutDown)
process.once('SIGTERM', shutDown)
