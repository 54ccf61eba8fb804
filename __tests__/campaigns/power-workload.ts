import { openSync, writeSync } from 'node:fs'
import Database from 'better-sqlite3'
import type { ProviderListener } from 'koa-comet'
import { SqliteCometStateProvider } from 'koa-comet/providers/sqlite'
import { hashOf, initialise, stop } from '../../providers/contract/operations.ts'
import { SeededRandom } from '../../providers/contract/seeded-random.ts'
import { obey } from './campaign-child.ts'
import { messagesOf, sendNumbered } from './numbered.ts'
import { MARK_SUFFIX, type Mark, RETENTION } from './power-marks.ts'

/** What is recorded: a provider at work, and an app that has the same file open. Ends when it is done. */

export interface WorkloadOrder {
  readonly file: string
  readonly durability: 'full' | 'normal'
  readonly seed: number
  readonly steps: number
}

class Workload {
  readonly #file: string
  readonly #random: SeededRandom
  readonly #marks: number
  readonly #durability: 'full' | 'normal'
  readonly #living: string[] = []
  #provider: SqliteCometStateProvider
  #app: Database.Database | undefined
  #sent = 0
  #clients = 0

  constructor({ file, durability, seed }: WorkloadOrder) {
    this.#file = file
    this.#durability = durability
    this.#random = new SeededRandom(seed)
    this.#marks = openSync(`${file}${MARK_SUFFIX}`, 'a', 0o600)
    this.#provider = this.#newProvider()
  }

  async run(steps: number): Promise<void> {
    await this.#open()
    for (let step = 0; step < steps; step += 1) await this.#step()
    await this.#close()
  }

  async #step(): Promise<void> {
    const dice = this.#random.below(100)
    if (dice < 80) await this.#send()
    else if (dice < 85) await this.#initialise()
    else if (dice < 88) await this.#stop()
    else if (dice < 90) await this.#provider.removeExpired()
    else if (dice < 98) this.#useApp()
    else {
      await this.#close()
      await this.#open()
    }
  }

  async #send(): Promise<void> {
    const numbers = Array.from({ length: 1 + this.#random.below(4) }, (_, index) => this.#sent + 1 + index)
    this.#sent += numbers.length
    const outcomes = await this.#provider.append(numbers.map(sendNumbered))
    const acknowledged = outcomes.map((outcome, index) => [numbers[index]!, idOf(outcome)] as const)
    this.#mark({ acknowledged })
  }

  async #initialise(): Promise<void> {
    this.#clients += 1
    const name = `client-${this.#clients}`
    await this.#provider.append([initialise(name)])
    this.#living.push(name)
    this.#mark({ initialised: hashOf(name) })
  }

  async #stop(): Promise<void> {
    const name = this.#living.shift()
    if (name === undefined) return
    this.#mark({ stopping: hashOf(name) })
    await this.#provider.append([stop(name)])
    this.#mark({ stopped: hashOf(name) })
  }

  /** As better-sqlite3 opens it: less durable than the provider, and with checkpoints of its own. */
  #useApp(): void {
    this.#app ??= new Database(this.#file)
    const dice = this.#random.below(3)
    if (dice === 0) {
      this.#app.exec('CREATE TABLE IF NOT EXISTS orders (at INTEGER); INSERT INTO orders VALUES (1)')
    } else {
      this.#app.pragma(dice === 1 ? 'wal_checkpoint(PASSIVE)' : 'wal_checkpoint(TRUNCATE)')
    }
  }

  async #open(): Promise<void> {
    this.#mark({ opening: true })
    this.#provider = this.#newProvider()
    const listener: ProviderListener = {
      reset: ({ epoch, head }) => this.#mark({ opened: { epoch, head } }),
      entries: (entries) => this.#mark({ fed: messagesOf(entries) }),
      unavailable: (error) => {
        throw error
      },
      available: () => {},
    }
    await this.#provider.open('comet', listener, RETENTION)
  }

  /** Sometimes the app goes, too: then SQLite takes the -wal away. */
  async #close(): Promise<void> {
    await this.#provider.close()
    this.#mark({ closed: true })
    if (this.#random.chance(50)) {
      this.#app?.close()
      this.#app = undefined
    }
  }

  #newProvider(): SqliteCometStateProvider {
    return new SqliteCometStateProvider(this.#file, { durability: this.#durability })
  }

  #mark(mark: Mark): void {
    writeSync(this.#marks, JSON.stringify(mark))
  }
}

function idOf(outcome: object): number {
  if ('id' in outcome) return Number(outcome.id)
  throw new Error(`refused: ${JSON.stringify(outcome)}`)
}

obey(async (order: WorkloadOrder) => {
  await new Workload(order).run(order.steps)
  process.exit()
})
