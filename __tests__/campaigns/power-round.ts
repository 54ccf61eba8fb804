import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { SeededRandom } from '../../providers/contract/seeded-random.ts'
import { CachedDisk, type Keeps } from './cached-disk.ts'
import { CampaignChild, obey, say } from './campaign-child.ts'
import { bareImage, type CrashImage, revive, withImage } from './crash-image.ts'
import { MARK_SUFFIX, type Mark } from './power-marks.ts'
import { PowerPromise } from './power-promise.ts'
import type { WorkloadOrder } from './power-workload.ts'
import { type ProblemKind, Problems } from './problems.ts'
import { type LoggedWrite, readWriteLog } from './write-log.ts'

/** Records one workload, and cuts the power at many points of it. A process, of which several can run side by side. */

export interface RoundOrder {
  /** The recorder, compiled. */
  readonly library: string
  /** Where it keeps its files. */
  readonly folder: string
  readonly durability: 'full' | 'normal'
  readonly seed: number
  readonly steps: number
  readonly images: number
  /** Whether the disk takes a sync for nothing: then much has to be lost. */
  readonly ignoresSync: boolean
}

export interface RoundReport {
  readonly writes: number
  readonly syncs: number
  readonly acknowledged: number
  readonly images: number
  /** In how many of them something was not synced when the power was cut. */
  readonly unsynced: number
  /** How many lacked something that was told. */
  readonly lost: number
  readonly newEpochs: number
  readonly problems: Partial<Record<ProblemKind, number>>
  readonly told: readonly string[]
}

/** Of what a memory is made: it is not on the disk, and nothing of it is left. */
const SHARED_MEMORY = '-shm'

const STYLES: readonly ((random: SeededRandom) => Keeps)[] = [
  () => () => false,
  () => () => true,
  (random) => () => random.chance(50),
  (random) => () => random.chance(10),
]

class Round {
  readonly #order: RoundOrder
  readonly #file: string
  readonly #random: SeededRandom
  readonly #problems = new Problems()
  readonly #promise = new PowerPromise()
  readonly #disk: CachedDisk
  readonly #counts = { images: 0, unsynced: 0, lost: 0, newEpochs: 0 }

  constructor(order: RoundOrder) {
    this.#order = order
    this.#file = join(order.folder, 'recorded.db')
    this.#random = new SeededRandom(order.seed)
    this.#disk = new CachedDisk(order.ignoresSync)
  }

  async run(): Promise<RoundReport> {
    const writes = await this.#record()
    const cuts = new Map<number, number>()
    for (let image = 0; image < this.#order.images; image += 1) {
      const at = this.#random.below(writes.length)
      cuts.set(at, (cuts.get(at) ?? 0) + 1)
    }
    for (const [index, write] of writes.entries()) {
      this.#take(write)
      for (let times = cuts.get(index) ?? 0; times > 0; times -= 1) await this.#cutPower()
    }
    return {
      writes: writes.length,
      syncs: writes.filter(({ what }) => what === 'sync').length,
      acknowledged: this.#promise.lastNumber,
      ...this.#counts,
      problems: this.#problems.counts(),
      told: this.#problems.told(),
    }
  }

  async #record(): Promise<LoggedWrite[]> {
    const { library, folder, durability, seed, steps } = this.#order
    mkdirSync(folder)
    const log = join(folder, 'writes.log')
    const child = new CampaignChild('power-workload', {
      LD_PRELOAD: library,
      RECORD_PREFIX: this.#file,
      RECORD_LOG: log,
    })
    child.tell({ file: this.#file, durability, seed, steps } satisfies WorkloadOrder)
    const exit = await child.ended
    if (exit !== 0) throw new Error(`The workload ended with ${exit}: ${child.errors}`)
    return readWriteLog(log)
  }

  #take(write: LoggedWrite): void {
    if (write.path.endsWith(MARK_SUFFIX)) {
      if (write.what === 'write')
        this.#problems.add(...this.#promise.take(JSON.parse(write.bytes.toString()) as Mark))
    } else if (!write.path.endsWith(SHARED_MEMORY)) this.#disk.apply(write)
  }

  async #cutPower(): Promise<void> {
    const { folder, durability } = this.#order
    const counts = this.#counts
    const left = this.#disk.afterPowerCut(this.#random.pick(STYLES)(this.#random))
    const image: CrashImage = new Map(
      [...left].map(([path, bytes]) => [path.slice(this.#file.length), bytes]),
    )
    counts.images += 1
    if (this.#disk.hasUnsynced) counts.unsynced += 1
    try {
      const { integrity, head } = await withImage(folder, image, bareImage)
      if (integrity !== 'ok') this.#problems.add({ kind: 'damaged', text: integrity })
      if (this.#promise.isLost(head)) counts.lost += 1
      const revived = await withImage(folder, image, (file) => revive(file, this.#promise, durability))
      if (this.#promise.isOtherEpoch(revived.epoch)) counts.newEpochs += 1
      this.#problems.add(...this.#promise.check(revived, durability))
    } catch (error) {
      this.#problems.add({ kind: 'failed', text: String(error) })
    }
  }
}

obey(async (order: RoundOrder) => {
  say(await new Round(order).run())
  process.exit()
})
