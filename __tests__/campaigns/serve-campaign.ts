import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { SeededRandom } from '../../providers/contract/seeded-random.ts'
import { CampaignChild } from './campaign-child.ts'
import { CampaignPage } from './campaign-page.ts'
import { HttpPublisher } from './http-publisher.ts'
import { type Problem, Problems } from './problems.ts'
import { quietPort } from './quiet-port.ts'
import type { ServeOrder, ServeSaid } from './serve-child.ts'

const DEFAULT_PAGES = 3

/** So many servers are killed soon, whether they listen or not; the others when each page had a message. */
const KILLED_EARLY_PERCENT = 20
const LONGEST_EARLY_LIFE_MS = 300
const LONGEST_LIFE_MS = 50

/** Longer than a page pauses between several attempts. */
const CATCHING_UP_MS = 120_000

const LOOK_AGAIN_MS = 5

export interface ServeOptions {
  readonly seed: number
  readonly cycles: number
  /** How many servers run side by side, each with a file and pages of its own. Default 1. */
  readonly workers?: number
  /** How many pages each server has. Default 3. */
  readonly pages?: number
  /** Whether some servers are killed before their pages had anything of them. Default true. */
  readonly killsEarly?: boolean
  /** Called after each kill, when nobody has the file open. */
  readonly between?: (file: string) => void
  /** Ends it after the cycle under way. */
  readonly signal?: AbortSignal
  /** Called after each cycle. */
  readonly progress?: (cycles: number) => void
}

export interface ServeReport {
  readonly problems: Problems
  readonly cycles: number
  /** Before they listened. */
  readonly killedWhileStarting: number
  readonly pages: number
  readonly acknowledged: number
  /** Requests of the publisher, and polls, that failed. */
  readonly cutPublishes: number
  readonly cutPolls: number
  readonly storedUnacknowledged: number
}

type Counts = { -readonly [K in keyof Omit<ServeReport, 'problems'>]: number }

/** Kills a server that pages poll, again and again, and looks at what their handlers were given. */
export async function serveCampaign(options: ServeOptions): Promise<ServeReport> {
  const { seed, cycles, workers = 1, pages = DEFAULT_PAGES, killsEarly = true } = options
  const folder = mkdtempSync(join(tmpdir(), 'koa-comet-serve-'))
  const problems = new Problems()
  const counts: Counts = {
    cycles: 0,
    killedWhileStarting: 0,
    pages: 0,
    acknowledged: 0,
    cutPublishes: 0,
    cutPolls: 0,
    storedUnacknowledged: 0,
  }
  const work = async (worker: number): Promise<void> => {
    const file = join(folder, `${worker}.db`)
    const random = new SeededRandom(seed + worker)
    const site = new KilledSite(file, await quietPort(random), pages, random, counts)
    const earlyPercent = killsEarly ? KILLED_EARLY_PERCENT : 0
    await site.live(earlyPercent, () => {
      options.between?.(file)
      options.progress?.(counts.cycles)
      return counts.cycles < cycles && !options.signal?.aborted
    })
    problems.add(...site.problems())
  }
  try {
    await Promise.all(Array.from({ length: workers }, (_, worker) => work(worker)))
  } finally {
    rmSync(folder, { recursive: true })
  }
  return { problems, ...counts }
}

/** A site with its pages, whose server is killed and started again. */
class KilledSite {
  readonly #order: ServeOrder
  readonly #random: SeededRandom
  readonly #counts: Counts
  readonly #pages: readonly CampaignPage[]
  readonly #publisher: HttpPublisher
  readonly #problems: Problem[] = []
  #child: CampaignChild<ServeSaid>
  #next = new CampaignChild<ServeSaid>('serve-child')
  #isListening = false

  constructor(file: string, port: number, pages: number, random: SeededRandom, counts: Counts) {
    const origin = `http://127.0.0.1:${port}`
    this.#order = { file, port }
    this.#random = random
    this.#counts = counts
    this.#child = this.#start()
    this.#pages = Array.from({ length: pages }, () => new CampaignPage(origin))
    this.#publisher = new HttpPublisher(origin, random)
  }

  problems(): Problem[] {
    const ofPages = this.#pages.flatMap((page) => page.check(this.#publisher.acknowledged))
    return [...this.#problems, ...ofPages]
  }

  /**
   * Lives and is killed until `killed` says that it was enough, and then until each page has all. So many of a hundred
   * lives are short.
   */
  async live(earlyPercent: number, killed: () => boolean): Promise<void> {
    try {
      await this.#allPages((page) => page.isRegistered)
      const publishing = this.#publisher.run()
      for (let goesOn = true; goesOn; ) {
        await this.#liveOnce(earlyPercent)
        this.#problems.push(...(await this.#child.kill()))
        this.#counts.cycles += 1
        if (!this.#isListening) this.#counts.killedWhileStarting += 1
        goesOn = killed()
        this.#child = this.#start()
      }
      this.#publisher.stop()
      await publishing
      const last = this.#publisher.acknowledged.length
      await this.#allPages((page) => page.last === last)
    } finally {
      await this.#end()
    }
  }

  async #liveOnce(earlyPercent: number): Promise<void> {
    if (this.#random.chance(earlyPercent)) {
      await pause(this.#random.below(LONGEST_EARLY_LIFE_MS))
      return
    }
    // Not answers: a stream is one for all its life, and may have begun by now.
    const before = this.#pages.map((page) => page.last)
    await this.#allPages((page, index) => page.last > before[index]!)
    await pause(this.#random.below(LONGEST_LIFE_MS))
  }

  /** Ends the wait after a time: then the check finds what is missing. */
  async #allPages(condition: (page: CampaignPage, index: number) => boolean): Promise<void> {
    const giveUpAt = performance.now() + CATCHING_UP_MS
    while (!this.#pages.every(condition) && performance.now() < giveUpAt) await pause(LOOK_AGAIN_MS)
  }

  #start(): CampaignChild<ServeSaid> {
    const child = this.#next
    // It loads its modules while the other one serves.
    this.#next = new CampaignChild('serve-child')
    this.#isListening = false
    child.listen(({ head }) => {
      this.#isListening = true
      this.#publisher.headAtStart = head
    })
    child.tell(this.#order)
    return child
  }

  async #end(): Promise<void> {
    this.#publisher.abandon()
    for (const page of this.#pages) page.close()
    for (const child of [this.#child, this.#next]) this.#problems.push(...(await child.kill()))
    const { acknowledged, cut, storedUnacknowledged } = this.#publisher
    this.#counts.pages += this.#pages.length
    this.#counts.acknowledged += acknowledged.length
    this.#counts.cutPublishes += cut
    this.#counts.cutPolls += this.#pages.reduce((sum, page) => sum + page.failures, 0)
    this.#counts.storedUnacknowledged += storedUnacknowledged
  }
}
