import type { Database, Statement } from 'better-sqlite3'
import type { Claim, ClaimOutcome, ClaimReply } from '../../lib/comet-claim.ts'
import { MAX_CLAIMS_PER_CLIENT } from '../../lib/comet-claim.ts'
import type { ChannelRow } from './channel-row.ts'
import type { Tables } from './schema.ts'
import type { WriteTransaction } from './write-transaction.ts'

/** How many bytes of replies a channel keeps. */
export const MAX_REPLIES_BYTES = 16 * 1024 * 1024

/** How many claims are forgotten in one step. */
const STEP = 500

interface ClaimRow {
  readonly number: number
  readonly run: string
  readonly runsUntil: number
  readonly isSettled: 0 | 1
  readonly reply: string | null
}

/** The claims of the clients of a channel, and the replies of those that are settled. */
export class ClaimRows {
  readonly #find: Statement<[number, string, number], ClaimRow>
  readonly #insert: Statement<[object]>
  readonly #settle: Statement<[object], number>
  readonly #deleteKey: Statement<[number, string], number>
  readonly #deleteSurplus: Statement<[number, number], number>
  readonly #deleteOfClient: Statement<[number], number>
  readonly #deleteOld: Statement<[number], number>
  readonly #oldestReply: Statement<[], { readonly number: number; readonly bytes: number }>
  readonly #dropReply: Statement<[number]>

  constructor(database: Database, { claims }: Tables) {
    // Every deletion answers with the bytes of each reply that it takes away.
    const deletion = <P extends unknown[]>(where: string): Statement<P, number> =>
      database.prepare<P, number>(`DELETE FROM ${claims} WHERE ${where} RETURNING bytes`).pluck()
    this.#find = database.prepare(
      `SELECT number, run, runs_until AS runsUntil, is_settled AS isSettled, reply FROM ${claims}
       WHERE generation = ? AND key = ? AND until > ?`,
    )
    this.#insert = database.prepare(
      `INSERT INTO ${claims} (generation, key, run, runs_until, until)
       VALUES (@generation, @key, @run, @runsUntil, @until)`,
    )
    this.#settle = database
      .prepare<[object], number>(
        `UPDATE ${claims} SET is_settled = 1, reply = @reply, bytes = @bytes
         WHERE generation = @generation AND key = @key AND run = @run AND until > @now AND NOT is_settled
         RETURNING bytes`,
      )
      .pluck()
    this.#deleteKey = deletion('generation = ? AND key = ?')
    this.#deleteSurplus = deletion(
      `generation = ? AND number <= (SELECT number FROM ${claims} WHERE generation = ?
         ORDER BY number DESC LIMIT 1 OFFSET ${MAX_CLAIMS_PER_CLIENT})`,
    )
    this.#deleteOfClient = deletion('generation = ?')
    // The inner LIMIT comes first: without it each step would look at all that are to stay.
    this.#deleteOld = deletion(
      `number IN
        (SELECT number FROM (SELECT number, until FROM ${claims} ORDER BY number LIMIT ${STEP}) WHERE until <= ?)`,
    )
    this.#oldestReply = database.prepare(
      `SELECT number, bytes FROM ${claims} WHERE bytes > 0 ORDER BY number LIMIT 1`,
    )
    this.#dropReply = database.prepare(`UPDATE ${claims} SET reply = NULL, bytes = 0 WHERE number = ?`)
  }

  /** Claims a key of a client that exists. */
  claim(claim: Claim, { channel, now, wallTime }: WriteTransaction): Exclude<ClaimOutcome, 'gone'> {
    const { generation, key, run, runSeconds, seconds } = claim
    // A run does not live on while nobody sweeps: its time passes as the clock says, which may be set back.
    const runTime = Math.max(wallTime, channel.sweptAt)
    const known = this.#find.get(generation, key, now)
    if (known) {
      if (known.reply !== null) return { reply: known.reply }
      if (known.isSettled === 1) return 'unknown'
      if (known.run !== run) return known.runsUntil > runTime ? 'running' : 'unknown'
    }
    take(channel, this.#deleteKey.all(generation, key))
    const runsUntil = Math.ceil(runTime + runSeconds * 1000)
    this.#insert.run({ generation, key, run, runsUntil, until: Math.ceil(now + seconds * 1000) })
    take(channel, this.#deleteSurplus.all(generation, generation))
    return 'claimed'
  }

  settle({ generation, key, run, reply }: ClaimReply, { channel, now }: WriteTransaction): void {
    const bytes = Buffer.byteLength(reply)
    const settled = this.#settle.all({ generation, key, run, reply, bytes, now })
    channel.replyBytes += sum(settled)
    // No more is dropped than was added, but for the rest of one reply.
    while (channel.replyBytes > MAX_REPLIES_BYTES) {
      const oldest = this.#oldestReply.get()
      if (oldest === undefined) return
      this.#dropReply.run(oldest.number)
      channel.replyBytes -= oldest.bytes
    }
  }

  forgetClient(generation: number, channel: ChannelRow): void {
    take(channel, this.#deleteOfClient.all(generation))
  }

  /** One step. Returns whether there may be more to forget. */
  forgetStep({ channel, now }: WriteTransaction): boolean {
    const forgotten = this.#deleteOld.all(now)
    take(channel, forgotten)
    return forgotten.length === STEP
  }
}

function take(channel: ChannelRow, bytes: readonly number[]): void {
  channel.replyBytes -= sum(bytes)
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
