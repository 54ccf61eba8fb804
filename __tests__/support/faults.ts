/** The calls of a provider that can be made to fail or to hang. */
export type Faultable =
  | 'open'
  | 'catchUp'
  | 'append'
  | 'getClient'
  | 'renewLeases'
  | 'removeExpired'
  | 'claim'
  | 'settle'

export interface FaultOptions {
  /** `before`: the store is not reached. `after`: the store does it, and only its answer is kept back or lost. */
  readonly when?: 'before' | 'after'
}

interface Fault {
  readonly when: 'before' | 'after'
  happen(): Promise<void>
}

/** What is to go wrong with the next calls of each kind, in the order in which it was asked for. */
export class Faults {
  /** While set, every call rejects with it. */
  away: Error | undefined
  readonly #next = new Map<Faultable, Fault[]>()

  fail(call: Faultable, options: FaultOptions & { readonly error?: Error; readonly times?: number }): void {
    const { when = 'before', error = new Error(`${call} was made to fail`), times = 1 } = options
    const fault: Fault = { when, happen: () => Promise.reject(error) }
    for (let time = 0; time < times; time += 1) this.#add(call, fault)
  }

  /** The returned function lets the call go on. */
  hang(call: Faultable, { when = 'before' }: FaultOptions): () => void {
    const { promise, resolve } = withResolvers()
    this.#add(call, { when, happen: () => promise })
    return resolve
  }

  /** Makes a call, with the fault that is due. */
  async around<T>(call: Faultable, ask: () => Promise<T>): Promise<T> {
    if (this.away) throw this.away
    const fault = this.#next.get(call)?.shift()
    if (fault?.when === 'before') await fault.happen()
    const answer = await ask()
    if (fault?.when === 'after') await fault.happen()
    return answer
  }

  #add(call: Faultable, fault: Fault): void {
    this.#next.set(call, [...(this.#next.get(call) ?? []), fault])
  }
}

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined
  const promise = new Promise<void>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}
