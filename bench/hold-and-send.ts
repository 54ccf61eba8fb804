import type { TaskProcess, Tasks } from './child-process.ts'
import type { LoadGeneratorTasks } from './load-generator.ts'
import type { ProcessCost } from './process-cost.ts'

/** What both servers can be asked. */
export interface ServerTasks extends Tasks {
  listen(): Promise<number>
  cost(): ProcessCost
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

export interface Held {
  /** Before the pages came. */
  readonly before: ProcessCost
  /** With a poll of each page held for the first time. */
  readonly held: ProcessCost
  readonly rounds: readonly Round[]
}

/** Lets pages poll, one for each token, measures what holding them costs, and answers them with one send; several times. */
export async function holdAndSend(
  server: TaskProcess<ServerTasks>,
  load: TaskProcess<LoadGeneratorTasks>,
  port: number,
  privateTokens: readonly string[],
  rounds: number,
): Promise<Held> {
  const before = await server.ask('cost')
  await load.ask('connect', { port, privateTokens })
  const measured: Round[] = []
  let held: ProcessCost | undefined
  for (let round = 0; round < rounds; round++) {
    const idleCpu = await server.ask('cpu')
    await load.ask('poll')
    await untilHeld(server, privateTokens.length)
    const holdCpu = (await server.ask('cpu')) - idleCpu
    // A garbage collection of the measurement is not part of a round.
    held ??= await server.ask('cost')
    const heldCpu = await server.ask('cpu')
    const text = `message ${round}`
    const sentAtMs = await server.ask('send', text)
    const { complete, lastByteAtMs } = await load.ask('received', text)
    const sendCpu = (await server.ask('cpu')) - heldCpu
    const cpuMicroseconds = (holdCpu + sendCpu) / privateTokens.length
    measured.push({ answered: complete, spreadMs: lastByteAtMs - sentAtMs, cpuMicroseconds })
  }
  await load.ask('disconnect')
  return { before, held: held!, rounds: measured }
}

async function untilHeld(server: TaskProcess<ServerTasks>, count: number): Promise<void> {
  while ((await server.ask('held')) < count) await new Promise((resolve) => setTimeout(resolve, 20))
}
