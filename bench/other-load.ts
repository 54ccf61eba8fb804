import { readdirSync, readFileSync } from 'node:fs'
import { median } from './median.ts'

/** What the processors have done so far, in ticks of the clock that Linux counts by. */
export interface Ticks {
  /** Of all cores, with what other virtual machines took from this one. */
  readonly busy: number
  /** Of one core, at work or not. */
  readonly elapsed: number
  /** Of this process, and of those that it started. */
  readonly own: number
}

/** From this share of a core on, a round is said to be disturbed. */
const MUCH = 0.1

/** Nothing where there is no /proc. */
export function readTicks(): Ticks | undefined {
  try {
    const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
    return ticksOf(readFileSync('/proc/stat', 'utf8'), processes.flatMap(statOf), process.pid)
  } catch {
    return undefined
  }
}

/** Nothing of a process that has just ended. */
function statOf(pid: string): string[] {
  try {
    return [readFileSync(`/proc/${pid}/stat`, 'utf8')]
  } catch {
    return []
  }
}

/**
 * @param system the text of /proc/stat
 * @param processes the texts of /proc/<pid>/stat
 * @param root whose ticks are own ones, with those of all below it
 */
export function ticksOf(system: string, processes: readonly string[], root: number): Ticks {
  const [user, nice, kernel, idle, waiting, irq, softIrq, stolen] = /^cpu +(.*)$/m
    .exec(system)![1]!
    .split(' ')
    .map(Number) as [number, number, number, number, number, number, number, number]
  const busy = user + nice + kernel + irq + softIrq + stolen
  const cores = system.match(/^cpu\d/gm)!.length
  return { busy, elapsed: (busy + idle + waiting) / cores, own: ownTicks(processes.map(readProcess), root) }
}

interface ProcessTicks {
  readonly pid: number
  readonly parent: number
  readonly ticks: number
}

function readProcess(text: string): ProcessTicks {
  // A name may hold anything, parentheses too. What follows is the state, the parent, and from the 11th on the times.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return {
    pid: Number.parseInt(text, 10),
    parent: Number(fields[1]),
    ticks: Number(fields[11]) + Number(fields[12]),
  }
}

function ownTicks(processes: readonly ProcessTicks[], root: number): number {
  const own = processes.filter(({ pid }) => pid === root)
  for (const { pid } of own) own.push(...processes.filter(({ parent }) => parent === pid))
  return own.reduce((sum, { ticks }) => sum + ticks, 0)
}

/** How much of a core others took between two readings: 1 is a whole one. */
export function shareOfOthers(before: Ticks, after: Ticks): number {
  const others = after.busy - before.busy - (after.own - before.own)
  return Math.max(0, others / (after.elapsed - before.elapsed))
}

/** Notes what others take, round by round. */
export class OtherLoad {
  readonly #shares: number[] = []

  async during<T>(work: () => Promise<T>): Promise<T> {
    const before = readTicks()
    const result = await work()
    const after = readTicks()
    if (before && after) this.#shares.push(shareOfOthers(before, after))
    return result
  }

  /** What there is to say about it, if anything is known. */
  notes(): string[] {
    return this.#shares.length === 0 ? [] : [noteOn(this.#shares)]
  }
}

export function noteOn(shares: readonly number[]): string {
  const disturbed = shares.filter((share) => share > MUCH).length
  return `Other processes took ${percent(median(shares))} of a core in the median round, and more than ${percent(MUCH)} in ${disturbed} of ${shares.length} rounds.`
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}
