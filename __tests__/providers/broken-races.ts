import type { CometClient } from '../../lib/comet-client.ts'
import type { Operation, Outcome } from '../../lib/comet-state-provider.ts'
import { clientTopic } from '../../lib/topics.ts'
import { DurableProvider } from './durable-store.ts'

/** Providers that look first and do later, without looking again. */

export class SendsToWhoIsRemovedMeanwhile extends DurableProvider {
  override async append(operations: readonly Operation[]): Promise<Outcome[]> {
    const publicTokens = new Set<string>()
    for await (const { publicToken } of this.inner.getClients()) publicTokens.add(publicToken)
    return super.append(
      operations.map((operation) => {
        if (operation.kind !== 'send' || !publicTokens.has(operation.receiver ?? '')) return operation
        const { receiver, ...send } = operation
        return send
      }),
    )
  }
}

/** Names those as stopped who were there when it looked. */
export class StopsWhoIsRemovedMeanwhile extends DurableProvider {
  override async append(operations: readonly Operation[]): Promise<Outcome[]> {
    const clients: CometClient[] = []
    for await (const client of this.inner.getClients()) clients.push(client)
    const outcomes = await super.append(operations)
    return outcomes.map((outcome, index) => {
      const operation = operations[index]
      if (operation?.kind !== 'stop' || operations.length > 1) return outcome
      const stopped = clients.filter(({ publicToken }) => operation.topics.includes(clientTopic(publicToken)))
      return { ...outcome, stopped }
    })
  }
}
