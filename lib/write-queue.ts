import { CometException, ErrorText, tooManyGroupsText, unknownReceiverText } from './comet-exception.ts'
import type { Done, ICometStateProvider, Operation, Outcome } from './comet-state-provider.ts'
import { SerialCalls, tooFewOutcomes } from './serial-calls.ts'

/** The most operations that one `append` is given. */
const MAX_BATCH = 1000

/** About what an address takes beside its text, in the store and in the index of the log. */
const ADDRESS_BYTES = 100

/** How much may wait. One operation always may, however large it is. */
export interface QueueLimits {
  readonly maxQueuedOperations: number
  readonly maxQueuedBytes: number
}

interface Queued {
  readonly operation: Operation
  readonly bytes: number
  readonly told: (done: Done) => unknown
  resolve(value: unknown): void
  reject(error: unknown): void
}

/**
 * The one way into the provider's log. Operations are appended in the order in which they were enqueued, one batch
 * at a time; what is enqueued in one turn of the event loop goes as one batch.
 */
export class WriteQueue {
  readonly #provider: ICometStateProvider
  readonly #limits: QueueLimits
  readonly #calls: SerialCalls
  #queued: Queued[] = []
  #bytes = 0
  #isDraining = false
  /** Who waits until nothing is enqueued or under way. */
  #waiting: (() => void)[] = []

  constructor(provider: ICometStateProvider, limits: QueueLimits, timeoutSeconds: number) {
    this.#provider = provider
    this.#limits = limits
    this.#calls = new SerialCalls(timeoutSeconds)
  }

  get length(): number {
    return this.#queued.length
  }

  /**
   * Resolves when the provider holds it. Rejects with a `CometException`: the provider's refusal,
   * `COMET_QUEUE_IS_FULL` (nothing was stored), or `COMET_PROVIDER_IS_UNAVAILABLE` (unknown). While a call is past its
   * deadline and has not ended, all else is refused.
   * @param told called once it is known to be done, however late: also when the promise has been rejected long since.
   *   What it returns, the promise resolves with.
   */
  enqueue<T>(operation: Operation, told: (done: Done) => T): Promise<T> {
    const bytes = sizeOf(operation)
    if (this.#isFull(bytes)) {
      const text = `${this.length} operations of ${this.#bytes} bytes wait for the state provider already. Try again later.`
      return Promise.reject(new CometException('COMET_QUEUE_IS_FULL', text))
    }
    return new Promise<T>((resolve, reject) => {
      this.#queued.push({ operation, bytes, told, resolve, reject })
      this.#bytes += bytes
      if (this.#isDraining) return
      this.#isDraining = true
      setImmediate(this.#drain)
    })
  }

  /** Resolves when nothing is enqueued or under way any more. */
  async drained(): Promise<void> {
    if (this.#isDraining) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  #isFull(more: number): boolean {
    const { maxQueuedOperations, maxQueuedBytes } = this.#limits
    return this.length >= maxQueuedOperations || (this.length > 0 && this.#bytes + more > maxQueuedBytes)
  }

  /** In a turn of its own for each batch: a provider that is done at once would keep the event loop from all else. */
  readonly #drain = async (): Promise<void> => {
    const batch = this.#takeBatch()
    try {
      await this.#calls.ask('append', () => this.#append(batch))
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
    if (this.#queued.length > 0) {
      setImmediate(this.#drain)
      return
    }
    this.#isDraining = false
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  #takeBatch(): Queued[] {
    const maxBytes = this.#provider.supports.maxBatchBytes ?? Number.POSITIVE_INFINITY
    let bytes = 0
    let count = 0
    while (count < Math.min(this.#queued.length, MAX_BATCH)) {
      const { bytes: next } = this.#queued[count]!
      if (count > 0 && bytes + next > maxBytes) break
      bytes += next
      count += 1
    }
    this.#bytes -= bytes
    return this.#queued.splice(0, count)
  }

  /** However late: then nobody waits for the promises any more, but all are told. */
  async #append(batch: readonly Queued[]): Promise<void> {
    const outcomes = await this.#provider.append(batch.map(({ operation }) => operation))
    for (let index = 0; index < batch.length; index++) settle(batch[index]!, outcomes[index])
  }
}

function settle({ operation, told, resolve, reject }: Queued, outcome: Outcome | undefined): void {
  if (outcome === undefined) {
    reject(tooFewOutcomes())
  } else if ('refused' in outcome) {
    reject(new CometException(outcome.refused, refusalText(operation, outcome.refused)))
  } else {
    resolve(told(outcome))
  }
}

function refusalText(operation: Operation, code: string): string {
  if (code === 'COMET_CLIENT_ALREADY_EXISTS') return ErrorText.clientAlreadyExists
  if (code === 'COMET_CLIENT_DOES_NOT_EXIST') {
    return operation.kind === 'send'
      ? unknownReceiverText(operation.name, operation.receiver ?? '')
      : ErrorText.clientDoesNotExist
  }
  if (code === 'COMET_CLIENT_HAS_TOO_MANY_GROUPS') return tooManyGroupsText(mostOf(operation, 'maxGroups'))
  if (code === 'COMET_USER_HAS_TOO_MANY_CLIENTS') {
    const most = mostOf(operation, 'maxClientsPerUser')
    return `The user has ${most} clients already. Close some pages, or raise maxClientsPerUser.`
  }
  return `The channel has ${mostOf(operation, 'maxClients')} clients already. Try again later, or raise maxClients.`
}

function mostOf(operation: Operation, limit: 'maxClients' | 'maxClientsPerUser' | 'maxGroups'): unknown {
  return (operation as Partial<Record<typeof limit, number>>)[limit] ?? 'too many'
}

/** About what an operation takes while it waits, and in the store. */
function sizeOf(operation: Operation): number {
  switch (operation.kind) {
    case 'send': {
      const { name, contents, topics, except } = operation
      return name.length + Buffer.byteLength(contents) + addressBytes(topics) + addressBytes(except)
    }
    case 'initialise':
      return JSON.stringify(operation.client).length
    case 'stop':
      return addressBytes(operation.topics) + addressBytes(operation.except)
    case 'update':
    case 'join':
    case 'leave':
    case 'remove':
      return JSON.stringify(operation).length
  }
}

function addressBytes(addresses: readonly string[]): number {
  return addresses.reduce((sum, { length }) => sum + length + ADDRESS_BYTES, 0)
}
