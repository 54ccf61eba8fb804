import type { ProviderStorage } from './provider-storage.ts'

/** What a store need not give to be tested, and where `create()` gives it. */
export const PLACES = {
  advance: 'advance',
  crash: 'faults.crash',
  interruptions: 'faults.interruptions',
} as const

export type Gap = keyof typeof PLACES

const ALL_GAPS = Object.keys(PLACES) as Gap[]

/** What histories are like that do without. */
const HISTORIES = {
  advance: 'no time passes',
  crash: 'no process dies',
  interruptions: 'the store never fails',
} as const satisfies Record<Gap, string>

/** Sees to it that nobody takes for tested what was not: titles say it, or a warning does. */
export class Gaps {
  readonly #suite: string
  readonly #told: ReadonlySet<Gap>
  readonly #warned = new Set<Gap>()

  /** @param without what the suite was told of */
  constructor(suite: string, without: readonly Gap[]) {
    this.#suite = suite
    this.#told = new Set(without)
  }

  titleOf(sentence: string, need?: Gap): string {
    if (need === undefined || !this.#told.has(need)) return sentence
    return `${sentence} (not tested: create() gives no ${PLACES[need]})`
  }

  titleOfHistories(sentence: string): string {
    const lacking = ALL_GAPS.filter((gap) => this.#told.has(gap)).map((gap) => HISTORIES[gap])
    return lacking.length === 0 ? sentence : `${sentence} (in which ${lacking.join(', ')})`
  }

  /** Whether the store gives it. Throws a TypeError if it does, and titles say that it does not. */
  isGiven(storage: ProviderStorage, gap: Gap): boolean {
    const isGiven = gives(storage, gap)
    if (isGiven && this.#told.has(gap)) {
      throw new TypeError(`create() gives ${PLACES[gap]}: leave '${gap}' out of the option without.`)
    }
    if (!isGiven && !this.#told.has(gap)) this.#warn(gap)
    return isGiven
  }

  /** The same store, looked through for all of it. */
  checked(storage: ProviderStorage): ProviderStorage {
    for (const gap of ALL_GAPS) this.isGiven(storage, gap)
    return storage
  }

  #warn(gap: Gap): void {
    if (this.#warned.has(gap)) return
    this.#warned.add(gap)
    process.emitWarning(
      `${this.#suite} was not tested for all rules: create() gives no ${PLACES[gap]}. Give it, or name it in the ` +
        `option without: ['${gap}'], so that the titles of the tests say it.`,
      { code: 'COMET_CONTRACT_NOT_TESTED' },
    )
  }
}

function gives({ advance, faults }: ProviderStorage, gap: Gap): boolean {
  switch (gap) {
    case 'advance':
      return advance !== undefined
    case 'crash':
      return faults?.crash !== undefined
    case 'interruptions':
      return (faults?.interruptions ?? []).length > 0
  }
}
