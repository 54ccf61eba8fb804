import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CampaignChild } from './campaign-child.ts'
import { checkNodes, type NodeReport } from './contend-check.ts'
import type { ContendOrder, ContendSaid } from './contend-child.ts'
import { Problems } from './problems.ts'

const NODES = ['ann', 'bob']

export interface ContendOptions {
  readonly seed: number
  /** How often each process writes. */
  readonly rounds: number
}

export interface ContendReport {
  readonly problems: Problems
  readonly entries: number
  readonly acknowledged: readonly number[]
  readonly clients: number
  /** By each process. */
  readonly removed: readonly number[]
  readonly calls: number
  readonly medianCallMs: readonly number[]
  /** Mostly its wait for the lock. */
  readonly longestCallMs: number
  /** How long the event loop of one of them stood still at most. */
  readonly longestStallMs: number
}

/** Two processes write to one file as fast as they can. */
export async function contendCampaign({ seed, rounds }: ContendOptions): Promise<ContendReport> {
  const folder = mkdtempSync(join(tmpdir(), 'koa-comet-contend-'))
  const file = join(folder, 'contended.db')
  const nodes = NODES.map((who, index) => new FightingNode({ file, who, seed: seed + index, rounds }))
  try {
    await Promise.all(nodes.map((node) => node.opened()))
    await Promise.all(nodes.map((node) => node.run()))
    // Only now has each of them all to catch up with.
    const reports = await Promise.all(nodes.map((node) => node.report()))
    return summary(reports)
  } finally {
    await Promise.all(nodes.map((node) => node.end()))
    rmSync(folder, { recursive: true })
  }
}

class FightingNode {
  readonly #child = new CampaignChild<ContendSaid>('contend-child')
  #isOpen = false
  #hasRun = false
  #report: NodeReport | undefined

  constructor(order: ContendOrder) {
    this.#child.listen((said) => {
      if ('opened' in said) this.#isOpen = true
      else if ('hasRun' in said) this.#hasRun = true
      else this.#report = said.report
    })
    this.#child.tell(order)
  }

  opened(): Promise<void> {
    return this.#child.until(() => this.#isOpen)
  }

  run(): Promise<void> {
    this.#child.tell('run')
    return this.#child.until(() => this.#hasRun)
  }

  async report(): Promise<NodeReport> {
    this.#child.tell('report')
    await this.#child.until(() => this.#report !== undefined)
    return this.#report!
  }

  async end(): Promise<void> {
    await this.#child.kill()
  }
}

function summary(reports: readonly NodeReport[]): ContendReport {
  const problems = new Problems()
  problems.add(...checkNodes(reports))
  const longest = (times: readonly number[]): number => Math.round(Math.max(...times))
  return {
    problems,
    entries: reports[0]!.fed.length,
    acknowledged: reports.map(({ acknowledged }) => acknowledged.length),
    clients: reports.flatMap(({ initialised }) => initialised).length,
    removed: reports.map(({ removed }) => removed.length),
    calls: reports.reduce((sum, { calls }) => sum + calls, 0),
    medianCallMs: reports.map(({ medianCallMs }) => Math.round(medianCallMs * 10) / 10),
    longestCallMs: longest(reports.map(({ longestCallMs }) => longestCallMs)),
    longestStallMs: longest(reports.map(({ longestStallMs }) => longestStallMs)),
  }
}
