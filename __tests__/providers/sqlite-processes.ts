import type {
  Claim,
  ClaimOutcome,
  ClaimReply,
  ClientRecord,
  CometClient,
  Entry,
  ICometStateProvider,
  LeaseOutcome,
  LeaseRenewal,
  Operation,
  Outcome,
  ProviderListener,
  ProviderSupports,
  RemovedClient,
  RetainedLog,
  Retention,
} from 'koa-comet'
import type { SqliteCometStateProviderOptions } from 'koa-comet/providers/sqlite'
import { AskedProcess, type Heard, type Program } from './sqlite-child-process.ts'

export interface ProcessOptions extends Omit<SqliteCometStateProviderOptions, 'now'> {
  readonly file: string
  /** How far its clock is ahead. Default 0. */
  readonly aheadMs?: number
}

/** A provider that lives in a process of its own, which can be killed. Its program is `sqlite-process.ts`. */
export class ProviderProcess implements ICometStateProvider {
  readonly supports: ProviderSupports
  readonly #process: AskedProcess

  /** @param uid whose process it is; only root may choose */
  static async start(program: Program, options: ProcessOptions, uid?: number): Promise<ProviderProcess> {
    const durable = options.durability !== 'normal'
    return new ProviderProcess(await AskedProcess.start(program, { aheadMs: 0, ...options }, uid), durable)
  }

  private constructor(process: AskedProcess, durable: boolean) {
    this.supports = { processes: 'many', durable, followDelayMs: 20 }
    this.#process = process
  }

  /** SIGKILL. Resolves when the process is gone; nothing of it is heard after the call. */
  kill(): Promise<void> {
    return this.#process.kill()
  }

  open(name: string, listener: ProviderListener, retention: Retention): Promise<void> {
    this.#process.onHeard = (heard) => pass(heard, listener)
    return this.#process.ask('open', name, retention)
  }

  catchUp(): Promise<void> {
    return this.#process.ask('catchUp')
  }

  async close(): Promise<void> {
    if (this.#process.lives) await this.#process.ask('close')
    await this.kill()
  }

  append(operations: readonly Operation[]): Promise<Outcome[]> {
    return this.#process.ask('append', operations)
  }

  getClient(privateTokenHash: string): Promise<ClientRecord | 'stopped' | undefined> {
    return this.#process.ask('getClient', privateTokenHash)
  }

  async *getClients(topics?: readonly string[]): AsyncGenerator<CometClient> {
    yield* await this.#process.ask<CometClient[]>('getClients', topics)
  }

  renewLeases(renewals: readonly LeaseRenewal[]): Promise<LeaseOutcome[]> {
    return this.#process.ask('renewLeases', renewals)
  }

  removeExpired(): Promise<RemovedClient[]> {
    return this.#process.ask('removeExpired')
  }

  claim(claims: readonly Claim[]): Promise<ClaimOutcome[]> {
    return this.#process.ask('claim', claims)
  }

  settle(replies: readonly ClaimReply[]): Promise<void> {
    return this.#process.ask('settle', replies)
  }

  /** Another connection of that process takes the file's write lock. */
  lock(): Promise<void> {
    return this.#process.ask('lock')
  }

  /** The same, in the turn in which it is told of the next stop. */
  lockAfterStop(): Promise<void> {
    return this.#process.ask('lockAfterStop')
  }

  unlock(): Promise<void> {
    return this.#process.ask('unlock')
  }
}

function pass({ heard, value }: Heard, listener: ProviderListener): void {
  if (heard === 'reset') listener.reset(value as RetainedLog)
  if (heard === 'entries') listener.entries(value as readonly Entry[])
  if (heard === 'unavailable') listener.unavailable(value)
  if (heard === 'available') listener.available()
}
