import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { SeededRandom } from '../../providers/contract/seeded-random.ts'
import { CampaignChild } from './campaign-child.ts'
import type { KillOrder, KillSaid } from './kill-child.ts'
import { Problems } from './problems.ts'
import { Promised } from './promised.ts'

const RETAINED_MESSAGES = 300

/** A process lives so long at most after it has opened the file, or after it was told to; in milliseconds. */
const LONGEST_LIFE_MS = 60
const LONGEST_OPENING_MS = 10

const KILLED_WHILE_OPENING_PERCENT = 20

export interface KillOptions {
  readonly seed: number
  readonly cycles: number
  /** How many files are published to side by side. Default 1. */
  readonly workers?: number
  /** Called after each kill, when nobody has the file open. */
  readonly between?: (file: string, cycle: number) => void
  /** Ends it after the cycle under way. */
  readonly signal?: AbortSignal
  /** Called after each cycle. */
  readonly progress?: (cycles: number, problems: Problems) => void
}

export interface KillReport {
  readonly problems: Problems
  readonly cycles: number
  readonly killedWhileOpening: number
  readonly acknowledged: number
  /** In how many cycles messages were stored whose publisher was killed before it knew. */
  readonly cyclesThatLeftUnacknowledged: number
  /** How many messages these were. Each was sent again with its key. */
  readonly storedUnacknowledged: number
}

type Counts = { -readonly [K in keyof Omit<KillReport, 'problems'>]: number }

/** Kills a process that publishes, again and again, and looks at what the next one finds. */
export async function killCampaign(options: KillOptions): Promise<KillReport> {
  const { seed, cycles, workers = 1 } = options
  const folder = mkdtempSync(join(tmpdir(), 'koa-comet-kill-'))
  const problems = new Problems()
  const counts: Counts = {
    cycles: 0,
    killedWhileOpening: 0,
    acknowledged: 0,
    cyclesThatLeftUnacknowledged: 0,
    storedUnacknowledged: 0,
  }
  const work = async (worker: number): Promise<void> => {
    const file = join(folder, `${worker}.db`)
    const publisher = new KilledPublisher(file, new SeededRandom(seed + worker), problems, counts)
    await publisher.live((cycle) => {
      options.between?.(file, cycle)
      options.progress?.(counts.cycles, problems)
      return counts.cycles < cycles && !options.signal?.aborted
    })
  }
  try {
    await Promise.all(Array.from({ length: workers }, (_, worker) => work(worker)))
  } finally {
    rmSync(folder, { recursive: true })
  }
  return { problems, ...counts }
}

/** One file, the processes that publish to it one after the other, and what was promised by them. */
class KilledPublisher {
  readonly #file: string
  readonly #random: SeededRandom
  readonly #problems: Problems
  readonly #counts: Counts
  readonly #promised = new Promised(RETAINED_MESSAGES)
  #lastAcknowledged = 0
  #hasOpened = false
  #hasFailed = false
  #next = new CampaignChild<KillSaid>('kill-child')

  constructor(file: string, random: SeededRandom, problems: Problems, counts: Counts) {
    this.#file = file
    this.#random = random
    this.#problems = problems
    this.#counts = counts
  }

  /** Lives and is killed until `killed` says that it was enough; then lives once more, to see what is left. */
  async live(killed: (cycle: number) => boolean): Promise<void> {
    try {
      for (let cycle = 1, goesOn = true; goesOn; cycle += 1) {
        await this.#liveOnce(this.#random.chance(KILLED_WHILE_OPENING_PERCENT))
        this.#counts.cycles += 1
        if (!this.#hasOpened) this.#counts.killedWhileOpening += 1
        goesOn = killed(cycle)
      }
      await this.#liveOnce(false)
      this.#checkFile()
    } finally {
      this.#problems.add(...(await this.#next.kill()))
    }
  }

  async #liveOnce(isKilledWhileOpening: boolean): Promise<void> {
    const child = this.#next
    // It loads its modules while the other one publishes.
    this.#next = new CampaignChild('kill-child')
    try {
      await this.#live(child, isKilledWhileOpening)
    } finally {
      this.#problems.add(...(await child.kill()))
    }
  }

  async #live(child: CampaignChild<KillSaid>, isKilledWhileOpening: boolean): Promise<void> {
    let isReady = false
    child.listen((said) => {
      if ('ready' in said) isReady = true
      else this.#hear(said)
    })
    await child.until(() => isReady)
    this.#hasOpened = false
    const order: KillOrder = {
      file: this.#file,
      retained: RETAINED_MESSAGES,
      from: this.#lastAcknowledged + 1,
      seed: this.#random.below(2 ** 32),
    }
    child.tell(order)
    if (!isKilledWhileOpening) await child.until(() => this.#hasOpened || this.#hasFailed)
    await pause(this.#random.below(isKilledWhileOpening ? LONGEST_OPENING_MS : LONGEST_LIFE_MS))
  }

  #hear(said: Exclude<KillSaid, { readonly ready: true }>): void {
    const promised = this.#promised
    if ('opened' in said) {
      const { epoch, head, messages } = said.opened
      this.#problems.add(...promised.check({ epoch, messages }))
      const unacknowledged = messages.filter(([number]) => number > this.#lastAcknowledged)
      // Those of the life before that were fed are known.
      this.#problems.add(...unacknowledged.flatMap((message) => promised.note(message)))
      promised.opened(epoch, head)
      if (unacknowledged.length > 0) this.#counts.cyclesThatLeftUnacknowledged += 1
      this.#counts.storedUnacknowledged += unacknowledged.length
      this.#hasOpened = true
    } else if ('fed' in said) {
      this.#problems.add(...said.fed.flatMap((message) => promised.note(message)))
    } else if ('acknowledged' in said) {
      this.#problems.add(...said.acknowledged.flatMap((message) => promised.note(message)))
      this.#counts.acknowledged += said.acknowledged.length
      this.#lastAcknowledged = said.acknowledged.at(-1)![0]
    } else {
      this.#hasFailed = true
      this.#problems.add({ kind: 'failed', text: said.trouble })
    }
  }

  #checkFile(): void {
    const database = new Database(this.#file)
    const verdict = String(database.pragma('integrity_check', { simple: true }))
    database.close()
    if (verdict !== 'ok') this.#problems.add({ kind: 'damaged', text: `${this.#file}: ${verdict}` })
  }
}
