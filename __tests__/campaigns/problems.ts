/** How many are told in words; the others are only counted. */
const MAX_TOLD = 10

/** What a promise that was broken is called. */
export type ProblemKind =
  | 'lost'
  | 'twice'
  | 'reused'
  | 'out of order'
  | 'damaged'
  | 'reset'
  | 'refused'
  | 'client'
  | 'failed'

export interface Problem {
  readonly kind: ProblemKind
  readonly text: string
}

/** The broken promises that a campaign found: counted by kind, and the first of them told. */
export class Problems {
  readonly #counts = new Map<ProblemKind, number>()
  readonly #told: string[] = []

  get total(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0)
  }

  count(kind: ProblemKind): number {
    return this.#counts.get(kind) ?? 0
  }

  add(...problems: readonly Problem[]): void {
    for (const { kind, text } of problems) {
      this.#counts.set(kind, this.count(kind) + 1)
      this.#tell(`${kind}: ${text}`)
    }
  }

  /** Those that another process has found: its `counts()`, and what it has `told()`. */
  addFound(counts: Partial<Record<ProblemKind, number>>, told: readonly string[]): void {
    for (const [kind, count] of Object.entries(counts) as [ProblemKind, number][]) {
      this.#counts.set(kind, this.count(kind) + count)
    }
    for (const text of told) this.#tell(text)
  }

  /** Each kind with its count, to go to another process. */
  counts(): Partial<Record<ProblemKind, number>> {
    return Object.fromEntries(this.#counts)
  }

  /** The first of them in words. */
  told(): readonly string[] {
    return this.#told
  }

  toString(): string {
    if (this.total === 0) return 'no problem'
    return [`${this.total} problems ${JSON.stringify(this.counts())}`, ...this.#told].join('\n  ')
  }

  #tell(text: string): void {
    if (this.#told.length < MAX_TOLD) this.#told.push(text)
  }
}
