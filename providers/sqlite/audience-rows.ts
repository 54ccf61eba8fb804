import type { Database, Statement } from 'better-sqlite3'
import { EVERYBODY } from '../../lib/topics.ts'
import { CLIENT_COLUMNS, type ClientRow } from './client-rows.ts'
import type { Tables } from './schema.ts'

/** A client, and since when the topic addresses it. */
export type AddressedRow = ClientRow & { readonly joined: number }

type Page = Statement<[value: string, after: number, count: number], AddressedRow>

/** Whom topics address, and the table of memberships that go on, which is there for that. */
export class AudienceRows {
  readonly #everybody: Statement<[after: number, count: number], AddressedRow>
  readonly #ofKind: ReadonlyMap<string, Page>
  readonly #join: Statement<[string, number, number]>
  readonly #leave: Statement<[string, number]>
  readonly #countOfUser: Statement<[string], number>

  constructor(database: Database, { clients, members }: Tables) {
    const rows = `${CLIENT_COLUMNS}, generation AS joined FROM ${clients}`
    const page = (condition: string): string =>
      `SELECT ${rows} WHERE ${condition} AND generation > ? ORDER BY generation LIMIT ?`
    this.#everybody = database.prepare(page('TRUE'))
    this.#ofKind = new Map<string, Page>([
      ['c:', database.prepare(page('public_token = ?'))],
      ['u:', database.prepare(page('user_id = ?'))],
      ['s:', database.prepare(page('session_id = ?'))],
      [
        'g:',
        database.prepare(
          `SELECT ${CLIENT_COLUMNS}, joined FROM ${members} CROSS JOIN ${clients} USING (generation)
           WHERE group_name = ? AND generation > ? ORDER BY generation LIMIT ?`,
        ),
      ],
    ])
    this.#join = database.prepare(`INSERT INTO ${members} (group_name, generation, joined) VALUES (?, ?, ?)`)
    this.#leave = database.prepare(`DELETE FROM ${members} WHERE group_name = ? AND generation = ?`)
    this.#countOfUser = database
      .prepare<[string], number>(`SELECT count(*) FROM ${clients} WHERE user_id = ?`)
      .pluck()
  }

  /** The next so many whom the topic addresses, by generation. No statement is left open. */
  page(topic: string, after: number, count: number): AddressedRow[] {
    if (topic === EVERYBODY) return this.#everybody.all(after, count)
    return this.#ofKind.get(topic.slice(0, 2))?.all(topic.slice(2), after, count) ?? []
  }

  countOfUser(userId: string): number {
    return this.#countOfUser.get(userId)!
  }

  join(group: string, generation: number, joined: number): void {
    this.#join.run(group, generation, joined)
  }

  leave(group: string, generation: number): void {
    this.#leave.run(group, generation)
  }
}

/** What has to be looked through to meet all of an audience: one topic, if that is everybody. */
export function distinctTopics(topics: readonly string[]): readonly string[] {
  return topics.includes(EVERYBODY) ? [EVERYBODY] : [...new Set(topics)]
}
