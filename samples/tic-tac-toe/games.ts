import type { GameView } from './messages.ts'
import { EMPTY_TABLE, type Table, viewOf } from './table.ts'

/** All games that somebody is at, by their names, in memory. */
export class Games {
  readonly #tell: (game: GameView) => Promise<unknown>
  readonly #tables = new Map<string, Table>()
  /** What is being done to a game, to its end. */
  readonly #turns = new Map<string, Promise<unknown>>()

  /** @param tell sends those who are at a game how it stands now */
  constructor(tell: (game: GameView) => Promise<unknown>) {
    this.#tell = tell
  }

  /** How many there are. */
  get size(): number {
    return this.#tables.size
  }

  view(name: string): GameView {
    return viewOf(name, this.#tables.get(name) ?? EMPTY_TABLE)
  }

  /**
   * Takes a step in a game, and tells of it. One step after another: what is told is never older than what was told or
   * seen before. Rejects with what the step throws.
   */
  change(name: string, step: (table: Table) => Table): Promise<void> {
    const turn = (this.#turns.get(name) ?? Promise.resolve()).then(() => this.#change(name, step))
    const end = turn
      .catch(() => {})
      .then(() => {
        if (this.#turns.get(name) === end) this.#turns.delete(name)
      })
    this.#turns.set(name, end)
    return turn
  }

  async #change(name: string, step: (table: Table) => Table): Promise<void> {
    const before = this.#tables.get(name) ?? EMPTY_TABLE
    const table = step(before)
    if (table === before) return
    if (table.present.length === 0) {
      this.#tables.delete(name)
      return
    }
    this.#tables.set(name, table)
    await this.#tell(viewOf(name, table))
  }
}
