import type { TaskProcess, Tasks } from './child-process.ts'
import type { LoadGeneratorTasks } from './load-generator.ts'

/** What both servers can be asked. */
export interface PollServerTasks extends Tasks {
  listen(): Promise<number>
  initialise(count: number): readonly string[] | Promise<readonly string[]>
  cpu(): number
  held(): number
  /** Answers all held polls with the text; returns when that began, on the clock that processes share. */
  send(text: string): number | Promise<number>
}

export interface Round {
  /** Polls that were answered with the message, once and alone. */
  readonly answered: number
  /** From before the send until the last byte of the last answer had come, in milliseconds. */
  readonly spreadMs: number
  /** What one poll and its answer cost the server, in microseconds of CPU time. */
  readonly cpuMicroseconds: number
}

/** Lets pages poll, one for each token, and answers them with one send; several times. */
export async function holdAndSend(
  server: TaskProcess<PollServerTasks>,
  load: TaskProcess<LoadGeneratorTasks>,
  port: number,
  privateTokens: readonly string[],
  rounds: number,
): Promise<Round[]> {
  await load.ask('connect', { port, privateTokens })
  const measured: Round[] = []
  for (let round = 0; round < rounds; round++) {
    const cpuBefore = await server.ask('cpu')
    await load.ask('poll')
    await untilHeld(server, privateTokens.length)
    const text = `message ${round}`
    const sentAtMs = await server.ask('send', text)
    const { complete, lastByteAtMs } = await load.ask('received', text)
    const cpuMicroseconds = ((await server.ask('cpu')) - cpuBefore) / privateTokens.length
    measured.push({ answered: complete, spreadMs: lastByteAtMs - sentAtMs, cpuMicroseconds })
  }
  await load.ask('disconnect')
  return measured
}

async function untilHeld(server: TaskProcess<PollServerTasks>, count: number): Promise<void> {
  while ((await server.ask('held')) < count) await new Promise((resolve) => setTimeout(resolve, 20))
}
