import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cpuMicroseconds } from './process-cost.ts'

/** What is stored in one round: as many messages in each transaction as there are publishers. */
export interface Round {
  readonly publishers: number
  readonly messages: number
  readonly text: string
}

export interface RoundCost {
  readonly messagesPerSecond: number
  /** User and system, of one message. */
  readonly cpuMicroseconds: number
}

/** Measures work that stores so many messages. */
export async function costOf(messages: number, work: () => unknown): Promise<RoundCost> {
  const begunAt = performance.now()
  const cpuBefore = cpuMicroseconds()
  await work()
  return {
    messagesPerSecond: (messages / (performance.now() - begunAt)) * 1000,
    cpuMicroseconds: (cpuMicroseconds() - cpuBefore) / messages,
  }
}

/** Gives work the path of a file that does not exist yet, in a folder of its own, and removes both. */
export async function withFile<T>(work: (file: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'koa-comet-bench-'))
  try {
    return await work(join(folder, 'bench.db'))
  } finally {
    await rm(folder, { recursive: true })
  }
}
