import type { CometClient } from '../../lib/comet-client.ts'
import type { Operation, Outcome } from '../../lib/comet-state-provider.ts'
import { clientTopic, EVERYBODY, groupTopic, topicsOf } from '../../lib/topics.ts'
import { ProviderWrapper } from '../support/provider-wrapper.ts'
import { ChangesOperations } from './changing-wrappers.ts'

/** Providers that take others for an audience, each in one way; and that count users wrong. */

export class ListsForEachTopic extends ProviderWrapper {
  override async *getClients(topics: readonly string[] = [EVERYBODY]): AsyncGenerator<CometClient> {
    for (const topic of topics) yield* super.getClients([topic])
  }
}

/** Takes the name for the address. */
export class MixesKindsOfTopics extends ProviderWrapper {
  override async *getClients(topics: readonly string[] = [EVERYBODY]): AsyncGenerator<CometClient> {
    const names = topics.map((topic) => topic.slice(topic.indexOf(':') + 1))
    for await (const client of super.getClients()) {
      if (topicsOf(client).some((topic) => names.includes(topic.slice(topic.indexOf(':') + 1)))) yield client
    }
  }
}

/** Like a database that compares without regard to case. */
export class FoldsTheCaseOfUsers extends ProviderWrapper {
  override async *getClients(topics: readonly string[] = [EVERYBODY]): AsyncGenerator<CometClient> {
    const folded = topics.map((topic) => topic.toLowerCase())
    for await (const client of super.getClients()) {
      if (topicsOf(client).some((topic) => folded.includes(topic.toLowerCase()))) yield client
    }
  }
}

/** Lists by an index of public tokens, which it does not clear when one is removed. */
export class ListsByAnIndexThatNobodyClears extends ProviderWrapper {
  readonly #topics = new Map<string, Set<string>>()

  override async append(operations: readonly Operation[]): Promise<Outcome[]> {
    const outcomes = await super.append(operations)
    for (const operation of operations) {
      if (operation.kind !== 'initialise') continue
      const { publicToken } = operation.client
      const topics = this.#topics.get(publicToken) ?? new Set()
      for await (const client of super.getClients([clientTopic(publicToken)])) {
        for (const topic of topicsOf(client)) topics.add(topic)
      }
      this.#topics.set(publicToken, topics)
    }
    return outcomes
  }

  override async *getClients(topics: readonly string[] = [EVERYBODY]): AsyncGenerator<CometClient> {
    for await (const client of super.getClients()) {
      if (topics.some((topic) => this.#topics.get(client.publicToken)?.has(topic))) yield client
    }
  }
}

export class StopsWhomItExcepts extends ChangesOperations {
  protected override changed(operation: Operation): Operation {
    return operation.kind === 'stop' ? { ...operation, except: [] } : operation
  }
}

/** Has a short way to stop everybody. */
export class ExceptsNobodyFromEverybody extends ChangesOperations {
  protected override changed(operation: Operation): Operation {
    const isForAll = operation.kind === 'stop' && operation.topics.includes(EVERYBODY)
    return isForAll ? { ...operation, except: [] } : operation
  }
}

/** Remembers that a group was stopped. */
export class StopsWhoJoinsAfter extends ProviderWrapper {
  readonly #stopped = new Set<string>()

  override async append(operations: readonly Operation[]): Promise<Outcome[]> {
    const outcomes: Outcome[] = []
    for (const operation of operations) {
      outcomes.push(...(await super.append([operation])))
      if (operation.kind === 'stop') for (const topic of operation.topics) this.#stopped.add(topic)
      if (operation.kind !== 'join' || !this.#stopped.has(groupTopic(operation.group))) continue
      await super.append([{ kind: 'stop', topics: [clientTopic(operation.publicToken)], except: [] }])
    }
    return outcomes
  }
}

/** Lets those go on for whom it has an answer. */
export class JoinsTheStopped extends ProviderWrapper {
  readonly #stopped = new Set<string>()

  override async append(operations: readonly Operation[]): Promise<Outcome[]> {
    const outcomes = await super.append(operations)
    return outcomes.map((outcome, index) => {
      const operation = operations[index]!
      if ('stopped' in outcome) for (const { publicToken } of outcome.stopped!) this.#stopped.add(publicToken)
      if (operation.kind !== 'join' || 'id' in outcome || !this.#stopped.has(operation.publicToken))
        return outcome
      return { id: this.head, epoch: '' }
    })
  }
}

export class CountsNoUsers extends ChangesOperations {
  protected override changed(operation: Operation): Operation {
    if (operation.kind !== 'initialise') return operation
    return { ...operation, maxClientsPerUser: Number.POSITIVE_INFINITY }
  }
}

export class TakesNoUserForAUser extends ChangesOperations {
  protected override changed(operation: Operation): Operation {
    if (operation.kind !== 'initialise') return operation
    const { client } = operation
    return { ...operation, client: { ...client, userId: client.userId ?? 'undefined' } }
  }
}

export class CountsUsersFirst extends ProviderWrapper {
  override async append(operations: readonly Operation[]): Promise<Outcome[]> {
    const outcomes = await super.append(operations)
    return outcomes.map((outcome) => {
      const isFull = 'refused' in outcome && outcome.refused === 'COMET_TOO_MANY_CLIENTS'
      return isFull ? { refused: 'COMET_USER_HAS_TOO_MANY_CLIENTS' } : outcome
    })
  }
}
