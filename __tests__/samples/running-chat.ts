import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InProcCometStateProvider } from 'koa-comet/providers/in-proc'
import { SqliteCometStateProvider } from 'koa-comet/providers/sqlite'
import { type Chat, createChat } from '../../samples/chat/app.ts'
import { type RunningSample, runSample } from './running-sample.ts'

export interface RunningChat extends RunningSample {
  readonly channel: Chat['channel']
}

/** A folder for the file of one chat. */
export function chatFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'koa-comet-chat-'))
}

/** The chat in this process, as `npm start` has it, with a file of its own. */
export async function runChat(): Promise<RunningChat> {
  const folder = await chatFolder()
  const file = join(folder, 'chat.db')
  const chat = await run(await createChat(new SqliteCometStateProvider(file), file))
  return {
    ...chat,
    async close() {
      await chat.close()
      await rm(folder, { recursive: true })
    },
  }
}

/** The chat with the line changed that its README names. */
export async function runChatInMemory(port?: number): Promise<RunningChat> {
  return run(await createChat(new InProcCometStateProvider(), ':memory:'), port)
}

async function run(chat: Chat, port?: number): Promise<RunningChat> {
  const running = await runSample(chat, port)
  return {
    ...running,
    channel: chat.channel,
    async close() {
      await running.close()
      chat.messages.close()
    },
  }
}
