import type { CometClient } from '../../lib/comet-client.ts'
import type {
  Claim,
  ClaimOutcome,
  ClaimReply,
  ClientRecord,
  LeaseOutcome,
  LeaseRenewal,
  Operation,
  Outcome,
  RemovedClient,
} from '../../lib/comet-state-provider.ts'
import { EVERYBODY, EVERYBODY_TOPICS } from '../../lib/topics.ts'
import { type CarriedStep, type PendingStop, StopCarrier } from '../shared/stop-carrier.ts'
import type { ChannelCalls, Position, ScriptCall } from './channel-calls.ts'
import { clientOf, membershipsOf, type ToldClient } from './client-fields.ts'
import { Lane } from './lane.ts'
import { argumentsOf, outcomeOf, type ToldOutcome } from './operation-fields.ts'
import { SCRIPTS } from './scripts.ts'

/** What one script takes, so that it does not hold up the server: a few milliseconds. */
const OPERATIONS_PER_STEP = 250
const CALLS_PER_STEP = 200
const CLIENTS_PER_PAGE = 100

type ToldRecord =
  | readonly ['unknown' | 'stopped']
  | readonly ['found', ToldClient, asOf: number, holder: string | null, epoch: string | null, id: number]

type ToldSweep = readonly [
  removed: readonly (readonly [RemovedClient['reason'], ToldClient])[],
  more: 0 | 1,
  stops: number,
]

type ToldClaim = Exclude<ClaimOutcome, object> | readonly [reply: string]

/** What the contract asks of one channel, by the scripts. */
export class StoredChannel {
  readonly #calls: ChannelCalls
  readonly #confirmed: (position: Position, endsAt: number) => Promise<void>
  readonly #appends = new Lane()
  readonly #renewals = new Lane()
  readonly #sweeps = new Lane<ScriptCall>()
  readonly #stops = new Lane<ScriptCall>()
  readonly #carrier: StopCarrier

  /** @param confirmed rejects if what the server has added is of a life of the log that nobody follows any more */
  constructor(calls: ChannelCalls, confirmed: (position: Position, endsAt: number) => Promise<void>) {
    this.#calls = calls
    this.#confirmed = confirmed
    this.#carrier = new StopCarrier(
      () => this.#pendingStops(),
      (id, endsAt) => this.#stopStep(id, endsAt),
    )
  }

  async append(operations: readonly Operation[]): Promise<Outcome[]> {
    const endsAt = this.#calls.endsAt()
    const outcomes: Outcome[] = []
    while (outcomes.length < operations.length) {
      const next = operations.slice(outcomes.length, outcomes.length + OPERATIONS_PER_STEP)
      const reply = await this.#calls.callOnce(
        this.#appends,
        SCRIPTS.append,
        next.flatMap(argumentsOf),
        endsAt,
      )
      const [epoch, head, told] = reply as [string, number, readonly ToldOutcome[]]
      await this.#confirmed({ epoch, head }, endsAt)
      outcomes.push(...told.map((outcome) => outcomeOf(outcome, epoch)))
      const last = told.at(-1)
      const isUnfinished = typeof last === 'object' && last[0] === 'stopped' && last[3] === 1
      if (isUnfinished) await this.#finish(last[1], outcomes, endsAt)
    }
    return outcomes
  }

  async getClient(privateTokenHash: string): Promise<ClientRecord | 'stopped' | undefined> {
    const told = (await this.#calls.call(SCRIPTS.getClient, [privateTokenHash])) as ToldRecord
    if (told[0] !== 'found') return told[0] === 'stopped' ? 'stopped' : undefined
    const [, client, asOf, holder, epoch, messageId] = told
    return {
      client: clientOf(client),
      ...membershipsOf(client),
      ...(holder !== null && { holder }),
      ...(epoch !== null && { acknowledged: { epoch, messageId } }),
      asOf,
    }
  }

  async *getClients(topics: readonly string[] = EVERYBODY_TOPICS): AsyncGenerator<CometClient> {
    const distinct = topics.includes(EVERYBODY) ? EVERYBODY_TOPICS : [...new Set(topics)]
    const seen = new Set<number>()
    for (const topic of distinct) {
      for await (const client of this.#addressed(topic)) {
        if (seen.has(client.generation)) continue
        if (distinct.length > 1) seen.add(client.generation)
        yield client
      }
    }
  }

  /** In order: one that is late must not undo what a newer one has said. */
  renewLeases(renewals: readonly LeaseRenewal[]): Promise<LeaseOutcome[]> {
    const endsAt = this.#calls.endsAt()
    return inSteps(renewals, async (step) => {
      const args = step.map(toJson)
      return (await this.#calls.callOnce(this.#renewals, SCRIPTS.renewLeases, args, endsAt)) as LeaseOutcome[]
    })
  }

  /** Removes the idle, and what is over the retention, in steps, and carries out what stops have left. */
  async removeExpired(): Promise<RemovedClient[]> {
    const endsAt = this.#calls.endsAt()
    const removed: RemovedClient[] = []
    try {
      let [stops, more] = await this.#sweepStep('first', removed, endsAt)
      while (more && performance.now() < endsAt)
        [stops, more] = await this.#sweepStep('next', removed, endsAt)
      if (stops > 0) await this.#takeOverStops(removed)
    } catch (error) {
      // Those who are removed have to be told of. The rest is for the next sweep.
      if (removed.length === 0) throw error
    }
    return removed
  }

  async claim(claims: readonly Claim[]): Promise<ClaimOutcome[]> {
    const endsAt = this.#calls.endsAt()
    return inSteps(claims, async (step) => {
      const told = (await this.#calls.call(SCRIPTS.claim, step.map(toJson), endsAt)) as readonly ToldClaim[]
      return told.map((outcome) => (typeof outcome === 'string' ? outcome : { reply: outcome[0] }))
    })
  }

  async settle(replies: readonly ClaimReply[]): Promise<void> {
    const endsAt = this.#calls.endsAt()
    await inSteps(replies, async (step) => {
      await this.#calls.call(SCRIPTS.settle, step.map(toJson), endsAt)
      return []
    })
  }

  async *#addressed(topic: string): AsyncGenerator<CometClient> {
    for (let after = '', isFirst = true; isFirst || after !== ''; isFirst = false) {
      const args = [topic, after, String(CLIENTS_PER_PAGE)]
      const reply = await this.#calls.call(SCRIPTS.listClients, args)
      const [clients, next] = reply as [readonly ToldClient[], string]
      for (const client of clients) yield clientOf(client)
      after = next
    }
  }

  /** Adds those whom the rest of a stop removes to its outcome, the last one. */
  async #finish(id: number, outcomes: Outcome[], endsAt: number): Promise<void> {
    const outcome = outcomes.at(-1)!
    const stopped: CometClient[] = 'stopped' in outcome ? [...(outcome.stopped ?? [])] : []
    // What it cannot do now the next sweep does: those who are removed by now have to be told of.
    await this.#carrier.finish(id, stopped, endsAt).catch(() => {})
    outcomes[outcomes.length - 1] = { ...outcome, stopped } as Outcome
  }

  /** Those whom an earlier step removed, and of whom nobody has heard since, are among its own. */
  async #stopStep(id: number, endsAt: number): Promise<CarriedStep> {
    const stopped: CometClient[] = []
    let more = true
    const take = (reply: unknown): void => {
      const [clients, isUnfinished] = reply as [readonly ToldClient[], 0 | 1]
      stopped.push(...clients.map(clientOf))
      more = isUnfinished === 1
    }
    try {
      await this.#calls.callAnswered(this.#stops, SCRIPTS.stopStep, [String(id)], endsAt, take)
    } catch (error) {
      if (stopped.length === 0) throw error
      more = true
    }
    return { stopped, more }
  }

  async #pendingStops(): Promise<readonly PendingStop[]> {
    const told = (await this.#calls.call(SCRIPTS.pendingStops)) as readonly [number, string][]
    return told.map(([id, place]) => ({ id, place }))
  }

  async #sweepStep(
    which: 'first' | 'next',
    removed: RemovedClient[],
    endsAt: number,
  ): Promise<[stops: number, more: boolean]> {
    let left: [stops: number, more: boolean] = [0, true]
    await this.#calls.callAnswered(this.#sweeps, SCRIPTS.sweep, [which], endsAt, (reply) => {
      const [told, more, stops] = reply as ToldSweep
      removed.push(...told.map(([reason, client]) => ({ client: clientOf(client), reason })))
      left = [stops, more === 1]
    })
    return left
  }

  async #takeOverStops(removed: RemovedClient[]): Promise<void> {
    const stopped: CometClient[] = []
    try {
      await this.#carrier.takeOver(stopped)
    } finally {
      removed.push(...stopped.map((client) => ({ client, reason: 'stopped' as const })))
    }
  }
}

/** So many at a time, one step after the other. */
async function inSteps<C, R>(
  calls: readonly C[],
  ask: (step: readonly C[]) => Promise<readonly R[]>,
): Promise<R[]> {
  const results: R[] = []
  for (let begin = 0; begin < calls.length; begin += CALLS_PER_STEP) {
    results.push(...(await ask(calls.slice(begin, begin + CALLS_PER_STEP))))
  }
  return results
}

function toJson(value: object): string {
  return JSON.stringify(value)
}
