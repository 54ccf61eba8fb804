import type { Database, Statement } from 'better-sqlite3'
import type { LeaseOutcome, LeaseRenewal } from '../../lib/comet-state-provider.ts'
import { CLIENT_COLUMNS, type ClientRow } from './client-rows.ts'
import type { Tables } from './schema.ts'
import type { WriteTransaction } from './write-transaction.ts'

type ExpiredRow = ClientRow & { readonly goodbye: 0 | 1 }

/** Whether nothing is acknowledged by a renewal that is not known already. */
const IS_OUTDATED = `(@epoch IS NULL
  OR (acknowledged_epoch = @epoch AND acknowledged_id > @messageId)
  OR (acknowledged_epoch = @present AND @epoch <> @present))`

/** How long the clients of a channel live. */
export class LeaseRows {
  readonly #renew: Statement<[object]>
  readonly #holder: Statement<[string, number], { readonly holder: string | null }>
  readonly #expired: Statement<[number, number], ExpiredRow>

  constructor(database: Database, { clients }: Tables) {
    // What is acknowledged of the present life of the log is not replaced by an earlier life's: another node may lag.
    this.#renew = database.prepare(
      `UPDATE ${clients} SET
         holder = @holder, goodbye = @goodbye, expires_at = @expiresAt, last_seen_at = @lastSeenAt,
         acknowledged_id = CASE WHEN ${IS_OUTDATED} THEN acknowledged_id ELSE @messageId END,
         acknowledged_epoch = CASE WHEN ${IS_OUTDATED} THEN acknowledged_epoch ELSE @epoch END
       WHERE public_token = @publicToken AND generation = @generation
         AND (@take OR holder IS NULL OR holder = @holder) AND (@returns OR goodbye = 0)`,
    )
    this.#holder = database.prepare(`SELECT holder FROM ${clients} WHERE public_token = ? AND generation = ?`)
    this.#expired = database.prepare(
      `SELECT ${CLIENT_COLUMNS}, goodbye FROM ${clients} WHERE expires_at <= ? ORDER BY expires_at LIMIT ?`,
    )
  }

  renew(renewal: LeaseRenewal, { channel, leaseTime, wallTime }: WriteTransaction): LeaseOutcome {
    const { publicToken, generation, holder, take, returns, seconds, goodbye, acknowledged } = renewal
    const { changes } = this.#renew.run({
      publicToken,
      generation,
      holder,
      take: Number(take),
      returns: Number(returns),
      goodbye: Number(goodbye),
      expiresAt: Math.ceil(leaseTime + seconds * 1000),
      lastSeenAt: wallTime,
      present: channel.epoch,
      epoch: acknowledged?.epoch ?? null,
      messageId: acknowledged?.messageId ?? null,
    })
    if (changes === 1) return 'kept'
    const row = this.#holder.get(publicToken, generation)
    if (row === undefined) return 'gone'
    // Its own page's, which has said goodbye, stays as it is.
    return row.holder === null || row.holder === holder ? 'kept' : 'elsewhere'
  }

  expired(now: number, count: number): ExpiredRow[] {
    return this.#expired.all(now, count)
  }
}
