import type { CometClient } from '../../lib/comet-client.ts'
import type {
  Claim,
  ClaimOutcome,
  ClientRecord,
  Operation,
  Outcome,
  RemovedClient,
} from '../../lib/comet-state-provider.ts'
import { clientTopic } from '../../lib/topics.ts'
import { DurableProvider, type StoreLink } from './durable-store.ts'

/** Providers of a durable store whose groups and claims are wrong when others come between, each in one way. */

/** Looks first and does later, without looking again. */
abstract class LooksFirst extends DurableProvider {
  protected abstract changed(operation: Operation, clients: readonly CometClient[]): Operation

  override async append(operations: readonly Operation[]): Promise<Outcome[]> {
    const clients: CometClient[] = []
    for await (const client of this.inner.getClients()) clients.push(client)
    return super.append(operations.map((operation) => this.changed(operation, clients)))
  }
}

export class StopsWhoWasAMemberBefore extends LooksFirst {
  protected override changed(operation: Operation, clients: readonly CometClient[]): Operation {
    if (operation.kind !== 'stop') return operation
    const topics = operation.topics.flatMap((topic) => {
      if (!topic.startsWith('g:')) return [topic]
      const members = clients.filter(({ groups }) => groups.includes(topic.slice(2)))
      return members.map(({ publicToken }) => clientTopic(publicToken))
    })
    return { ...operation, topics }
  }
}

export class WritesWhatItHasNotChanged extends LooksFirst {
  protected override changed(operation: Operation, clients: readonly CometClient[]): Operation {
    if (operation.kind !== 'update') return operation
    const found = clients.find(({ publicToken }) => publicToken === operation.publicToken)
    return found ? { displayName: found.displayName, data: found.data, ...operation } : operation
  }
}

export class CountsGroupsBefore extends LooksFirst {
  protected override changed(operation: Operation, clients: readonly CometClient[]): Operation {
    if (operation.kind !== 'join') return operation
    const found = clients.find(({ publicToken }) => publicToken === operation.publicToken)
    const isFull = (found?.groups.length ?? 0) >= operation.maxGroups
    return { ...operation, maxGroups: isFull ? 0 : Number.POSITIVE_INFINITY }
  }
}

/** Adds an entry if it has found no member. */
export class SaysThatItHasJoined extends DurableProvider {
  override async append(operations: readonly Operation[]): Promise<Outcome[]> {
    const outcomes = await super.append(operations)
    return outcomes.map((outcome) => {
      if (!('unchanged' in outcome)) return outcome
      const { unchanged, ...done } = outcome
      return done
    })
  }
}

/** Reads the client, and then its memberships and where the log is. */
export class ReadsMembershipsLater extends DurableProvider {
  override async getClient(privateTokenHash: string): Promise<ClientRecord | 'stopped' | undefined> {
    const first = await super.getClient(privateTokenHash)
    const found = await super.getClient(privateTokenHash)
    return typeof first === 'object' && typeof found === 'object' ? { ...found, client: first.client } : found
  }
}

/** Who has claimed a key, by its store. */
const CLAIMS = new WeakMap<StoreLink, Map<string, string>>()

export class LooksWhetherAKeyIsClaimed extends DurableProvider {
  override async claim(claims: readonly Claim[]): Promise<ClaimOutcome[]> {
    const known = CLAIMS.get(this.link) ?? new Map<string, string>()
    CLAIMS.set(this.link, known)
    const outcomes = claims.map(({ key, run }) => ((known.get(key) ?? run) === run ? 'claimed' : 'running'))
    await this.travel()
    for (const { key, run } of claims) known.set(key, run)
    return outcomes
  }
}

/** Answers what it is going to store. */
export class AnswersBeforeItClaims extends DurableProvider {
  override async claim(claims: readonly Claim[]): Promise<ClaimOutcome[]> {
    if (claims.some(({ run }) => run !== 'run 1')) return super.claim(claims)
    super.claim(claims).catch(() => undefined)
    return claims.map(() => 'claimed')
  }
}

/** Does not know its own claim again. */
export class ClaimsByAnotherNameEachTime extends DurableProvider {
  #attempts = 0

  override claim(claims: readonly Claim[]): Promise<ClaimOutcome[]> {
    this.#attempts += 1
    return super.claim(claims.map((claim) => ({ ...claim, run: `${claim.run} ${this.#attempts}` })))
  }
}

/** Keeps claims in memory. */
export class LosesClaimsAtARestart extends DurableProvider {
  override claim(claims: readonly Claim[]): Promise<ClaimOutcome[]> {
    return super.claim(claims.map((claim) => ({ ...claim, key: `${this.link.lives} ${claim.key}` })))
  }
}

/** Writes down what clients are members of, not what they were. */
export class LosesEndedMembershipsAtARestart extends DurableProvider {
  override async getClient(privateTokenHash: string): Promise<ClientRecord | 'stopped' | undefined> {
    const found = await super.getClient(privateTokenHash)
    if (typeof found !== 'object' || this.link.lives === 1) return found
    return { ...found, memberships: found.memberships.filter(({ left }) => left === undefined) }
  }
}

/** Adds a client, and then its groups one by one. */
export class JoinsInitialGroupsLater extends DurableProvider {
  override async append(operations: readonly Operation[]): Promise<Outcome[]> {
    const outcomes: Outcome[] = []
    for (const operation of operations) {
      if (operation.kind !== 'initialise') {
        outcomes.push(...(await super.append([operation])))
        continue
      }
      const { publicToken, groups } = operation.client
      outcomes.push(...(await super.append([{ ...operation, client: { ...operation.client, groups: [] } }])))
      for (const group of groups) await super.append([{ kind: 'join', publicToken, group, maxGroups: 1000 }])
    }
    return outcomes
  }
}

/** Whom stops have hit, by their store. */
const STOPPED = new WeakMap<StoreLink, CometClient[]>()

/** Keeps a note of whom it stops until it has answered, and does not look whether they are gone by then. */
export class TellsAgainOfWhomItHasStopped extends DurableProvider {
  override async append(operations: readonly Operation[]): Promise<Outcome[]> {
    const outcomes = await super.append(operations)
    const stopped = outcomes.flatMap((outcome) => ('stopped' in outcome ? outcome.stopped! : []))
    STOPPED.set(this.link, [...(STOPPED.get(this.link) ?? []), ...stopped])
    return outcomes
  }

  override async removeExpired(): Promise<RemovedClient[]> {
    const again = (STOPPED.get(this.link) ?? []).map(
      (client): RemovedClient => ({ client, reason: 'stopped' }),
    )
    STOPPED.delete(this.link)
    return [...again, ...(await super.removeExpired())]
  }
}

/** Removes those who are named one after the other, and has no note of it. */
export class ForgetsTheRestOfAStop extends DurableProvider {
  override async append(operations: readonly Operation[]): Promise<Outcome[]> {
    const [stop] = operations
    if (operations.length > 1 || stop?.kind !== 'stop' || !stop.topics[0]!.startsWith('g:'))
      return super.append(operations)
    const clients: CometClient[] = []
    for await (const client of this.inner.getClients(stop.topics)) clients.push(client)
    const tokens = clients
      .map(({ publicToken }) => publicToken)
      .filter((token) => !stop.except.includes(token))
    const outcomes: Outcome[] = []
    for (let at = 0; at < tokens.length; at += 100) {
      const topics = tokens.slice(at, at + 100).map(clientTopic)
      outcomes.push(...(await super.append([{ kind: 'stop', topics, except: [] }])))
    }
    return outcomes.slice(0, 1)
  }
}
