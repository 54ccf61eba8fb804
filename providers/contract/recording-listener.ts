import assert from 'node:assert/strict'
import type { Entry, ProviderListener, RetainedLog } from '../../lib/comet-state-provider.ts'

const EPOCH = /^[A-Za-z0-9_-]{1,64}$/

/** Writes down what a provider tells, and can say whether it kept to the order. */
export class RecordingListener implements ProviderListener {
  /** Called after each reset was written down. */
  onReset: (() => void) | undefined
  /** Called after each list of entries was written down. */
  onEntries: ((entries: readonly Entry[]) => void) | undefined
  readonly #violations: string[] = []
  readonly #heard: string[] = []
  #log: RetainedLog | undefined
  #fed: Entry[] = []
  #head = 0
  #isAvailable = false

  /** How often the provider has called, whatever it said. */
  get calls(): number {
    return this.#heard.length
  }

  /** Whether the provider says that it is in touch with its store. */
  get isAvailable(): boolean {
    return this.#isAvailable
  }

  /** What the newest reset told. */
  get log(): RetainedLog {
    assert.ok(this.#log, 'listener.reset was not called')
    return this.#log
  }

  /** What was fed since the newest reset. */
  get fed(): readonly Entry[] {
    return this.#fed
  }

  /** All that was told of the newest life of the log: its retained window, and what was fed since. */
  get told(): readonly Entry[] {
    return [...this.log.entries, ...this.#fed]
  }

  /** The highest id known. */
  get head(): number {
    return this.#head
  }

  /** Fails if the provider has called again since it had called so often. */
  assertSilentSince(calls: number, when: string): void {
    const heard = this.#heard.slice(calls).join(', ')
    assert.ok(heard === '', `${when}, the listener was still called: ${heard}`)
  }

  /** Fails if the provider broke the order at any time. */
  assertSound(): void {
    assert.deepEqual(this.#violations, [], 'the provider broke the order of its feed')
  }

  reset(log: RetainedLog): void {
    this.#heard.push('reset')
    this.#isAvailable = true
    const { epoch, entries, head, trimmedThrough } = log
    const goesOn = this.#log === undefined || this.#log.epoch === epoch
    this.#expect(
      this.#head <= (goesOn ? head : trimmedThrough),
      `a reset tells of ${goesOn ? `the head ${head}` : `a life from ${trimmedThrough} on`} after ${this.#head}`,
    )
    this.#expect(EPOCH.test(epoch), `'${epoch}' is no epoch`)
    this.#expect(Number.isSafeInteger(head), `the head ${head} is no safe integer`)
    this.#expect(Number.isSafeInteger(trimmedThrough), `trimmedThrough ${trimmedThrough} is no safe integer`)
    this.#expect(
      0 <= trimmedThrough && trimmedThrough <= head,
      `trimmed through ${trimmedThrough}, head ${head}`,
    )
    this.#log = { ...log, entries: [...entries] }
    this.#fed = []
    this.#head = trimmedThrough
    for (const entry of entries) this.#take(entry)
    this.#expect(this.#head <= head, `the window reaches ${this.#head}, above the head ${head}`)
    this.#head = head
    this.onReset?.()
  }

  entries(entries: readonly Entry[]): void {
    this.#heard.push('entries')
    this.#expect(this.#log !== undefined, 'entries came before reset')
    for (const entry of entries) this.#take(entry)
    this.#fed.push(...entries)
    this.onEntries?.(entries)
  }

  unavailable(): void {
    this.#heard.push('unavailable')
    this.#isAvailable = false
  }

  available(): void {
    this.#heard.push('available')
    this.#isAvailable = true
  }

  #take({ id }: Entry): void {
    this.#expect(Number.isSafeInteger(id), `the id ${id} is no safe integer`)
    this.#expect(id > this.#head, `${id} came after ${this.#head}`)
    this.#head = Math.max(this.#head, id)
  }

  #expect(holds: boolean, otherwise: string): void {
    if (!holds) this.#violations.push(otherwise)
  }
}
