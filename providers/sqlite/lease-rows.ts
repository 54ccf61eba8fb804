import type { Database, Statement } from 'better-sqlite3'
import type { LeaseOutcome, LeaseRenewal } from '../../lib/comet-state-provider.ts'
import { CLIENT_COLUMNS, type ClientRow } from './client-rows.ts'
import type { Tables } from './schema.ts'

type ExpiredRow = ClientRow & { readonly goodbye: 0 | 1 }

/** How long the clients of a channel live. */
export class LeaseRows {
  readonly #renew: Statement<[object]>
  readonly #holder: Statement<[string, number], { readonly holder: string | null }>
  readonly #expired: Statement<[number, number], ExpiredRow>

  constructor(database: Database, { clients }: Tables) {
    // Of what is acknowledged the newer epoch stays, since a page only moves on to it; within one the higher id.
    this.#renew = database.prepare(
      `UPDATE ${clients} SET
         holder = @holder, goodbye = @goodbye, expires_at = @expiresAt, last_seen_at = @lastSeenAt,
         acknowledged_id = CASE
           WHEN @epoch IS NULL OR (acknowledged_epoch = @epoch AND acknowledged_id > @messageId)
           THEN acknowledged_id ELSE @messageId END,
         acknowledged_epoch = coalesce(@epoch, acknowledged_epoch)
       WHERE public_token = @publicToken AND generation = @generation
         AND (@take OR holder IS NULL OR holder = @holder) AND (@returns OR goodbye = 0)`,
    )
    this.#holder = database.prepare(`SELECT holder FROM ${clients} WHERE public_token = ? AND generation = ?`)
    this.#expired = database.prepare(
      `SELECT ${CLIENT_COLUMNS}, goodbye FROM ${clients} WHERE expires_at <= ? ORDER BY expires_at LIMIT ?`,
    )
  }

  /**
   * @param now the store's time, in milliseconds
   * @param lastSeenAt milliseconds since 1970
   */
  renew(renewal: LeaseRenewal, now: number, lastSeenAt: number): LeaseOutcome {
    const { publicToken, generation, holder, take, returns, seconds, goodbye, acknowledged } = renewal
    const { changes } = this.#renew.run({
      publicToken,
      generation,
      holder,
      take: Number(take),
      returns: Number(returns),
      goodbye: Number(goodbye),
      expiresAt: Math.ceil(now + seconds * 1000),
      lastSeenAt,
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
