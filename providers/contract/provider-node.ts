import assert from 'node:assert/strict'
import type { CometClient } from '../../lib/comet-client.ts'
import type {
  Claim,
  ClaimOutcome,
  ClientRecord,
  Done,
  Entry,
  ICometStateProvider,
  InitialiseOperation,
  LeaseOutcome,
  LeaseRenewal,
  Operation,
  RefusalCode,
} from '../../lib/comet-state-provider.ts'
import type { RecordingListener } from './recording-listener.ts'

/** One provider with the listener that it feeds. */
export class ProviderNode {
  readonly provider: ICometStateProvider
  readonly listener: RecordingListener

  constructor(provider: ICometStateProvider, listener: RecordingListener) {
    this.provider = provider
    this.listener = listener
  }

  /** Appends, and expects that nothing is refused. */
  async append(...operations: Operation[]): Promise<Done[]> {
    const outcomes = await this.provider.append(operations)
    assert.equal(outcomes.length, operations.length, 'append answers with one outcome for each operation')
    return outcomes.map((outcome, index) => {
      assert.ok('id' in outcome, `${operations[index]!.kind} was refused: ${JSON.stringify(outcome)}`)
      return outcome
    })
  }

  /** Appends one operation, and answers with the id that it got. */
  async appendOne(operation: Operation): Promise<number> {
    const [done] = await this.append(operation)
    return done!.id
  }

  /** Appends one operation, and expects a refusal. */
  async refusal(operation: Operation): Promise<RefusalCode> {
    const [outcome] = await this.provider.append([operation])
    assert.ok(
      outcome && 'refused' in outcome,
      `${operation.kind} was not refused: ${JSON.stringify(outcome)}`,
    )
    return outcome.refused
  }

  /** Initialises a client, and answers with its record as append told it. */
  async initialise(operation: InitialiseOperation): Promise<CometClient> {
    return this.clientAfter(operation)
  }

  /** The record that a private token's hash leads to; fails if there is none. */
  async record(privateTokenHash: string): Promise<ClientRecord> {
    const record = await this.provider.getClient(privateTokenHash)
    assert.ok(typeof record === 'object', `getClient answered ${record}, a record was expected`)
    return record
  }

  async renew(renewal: LeaseRenewal): Promise<LeaseOutcome> {
    const outcomes = await this.provider.renewLeases([renewal])
    assert.equal(outcomes.length, 1, 'renewLeases answers with one outcome for each renewal')
    return outcomes[0]!
  }

  async claim(...claims: Claim[]): Promise<ClaimOutcome[]> {
    const outcomes = await this.provider.claim(claims)
    assert.equal(outcomes.length, claims.length, 'claim answers with one outcome for each claim')
    return outcomes
  }

  /** The public tokens of those whom this sweep removed. */
  async sweep(): Promise<string[]> {
    const removed = await this.provider.removeExpired()
    return removed.map(({ client }) => client.publicToken).sort()
  }

  /** All that this node was told of the log, after catching up. */
  async told(): Promise<readonly Entry[]> {
    await this.provider.catchUp()
    return this.listener.told
  }

  /** Appends one operation on a client, and answers with its record as append told it. */
  async clientAfter(operation: Operation): Promise<CometClient> {
    const [done] = await this.append(operation)
    assert.ok(done!.client, `the outcome of ${operation.kind} has the client`)
    return done!.client
  }

  /** The public tokens that `getClients` lists for these topics, for all by default. */
  async listed(topics?: readonly string[]): Promise<string[]> {
    const publicTokens: string[] = []
    for await (const client of this.provider.getClients(topics)) publicTokens.push(client.publicToken)
    return publicTokens.sort()
  }
}
