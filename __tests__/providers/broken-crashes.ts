import type { Operation, Outcome, RetainedLog } from '../../lib/comet-state-provider.ts'
import { DurableProvider } from './durable-store.ts'

/** Providers of a durable store that do wrong when a process dies, each in one way. */

/** Answers with the ids that the messages are going to have. */
export class AnswersBeforeItStores extends DurableProvider {
  #epoch = ''

  protected override begin(log: RetainedLog): void {
    this.#epoch = log.epoch
    super.begin(log)
  }

  override async append(operations: readonly Operation[]): Promise<Outcome[]> {
    const isSure = operations.every((operation) => operation.kind === 'send' && !operation.receiver)
    if (!isSure) return super.append(operations)
    const [epoch, head] = [this.#epoch, this.head]
    super.append(operations).catch(() => undefined)
    return operations.map((_, index) => ({ epoch, id: head + 1 + index }))
  }
}

/** Keeps its keys beside the store, and writes them there when the messages are stored. */
export class StoresAKeyAfterItsMessage extends DurableProvider {
  override async append(operations: readonly Operation[]): Promise<Outcome[]> {
    const outcomes: Outcome[] = []
    for (const operation of operations) {
      const key = operation.kind === 'send' ? operation.key : undefined
      const known = key === undefined ? undefined : this.link.keys.get(key)
      if (known) {
        outcomes.push(known)
        continue
      }
      const [outcome] = await super.append([key === undefined ? operation : withoutKey(operation)])
      await this.travel()
      if (key !== undefined && 'id' in outcome!) this.link.keys.set(key, outcome)
      outcomes.push(outcome!)
    }
    return outcomes
  }
}

/** Stores the messages of an append first, since they are in a table of their own. */
export class StoresMessagesFirst extends DurableProvider {
  override async append(operations: readonly Operation[]): Promise<Outcome[]> {
    const isMessage = operations.map(({ kind }) => kind === 'send')
    const messages = await super.append(operations.filter((_, index) => isMessage[index]))
    const others = await super.append(operations.filter((_, index) => !isMessage[index]))
    return isMessage.map((is) => (is ? messages : others).shift()!)
  }
}

/** A process that starts takes another one's crash for its own, and clears away what the other has open. */
export class ClearsUpAfterOthers extends DurableProvider {
  override async die(): Promise<void> {
    await super.die()
    for (const other of this.link.opened) await other.close()
  }
}

function withoutKey(operation: Operation): Operation {
  if (operation.kind !== 'send') return operation
  const { key, ...send } = operation
  return send
}
