import type { Database, Statement } from 'better-sqlite3'
import type { CometClient } from '../../lib/comet-client.ts'
import { clientTopic, EVERYBODY, groupTopic, sessionTopic, userTopic } from '../../lib/topics.ts'
import { distinctTopics } from './audience-rows.ts'
import { type ClientRow, membershipsOf } from './client-rows.ts'
import type { Tables } from './schema.ts'
import type { WriteTransaction } from './write-transaction.ts'

/** A stop, and how far it is carried out. */
export interface Stop {
  readonly id: number
  readonly topics: readonly string[]
  readonly except: ReadonlySet<string>
  /** The first topic whose audience is not looked through yet. */
  topic: number
  /** The newest client of that which was looked at, by its generation. */
  after: number
}

interface StopRow extends Pick<Stop, 'id' | 'topic' | 'after'> {
  readonly topics: string
  readonly excluded: string
}

/** A stop of which nothing is carried out. */
export function newStop(id: number, topics: readonly string[], except: Iterable<string>): Stop {
  return { id, topics: distinctTopics(topics), except: new Set(except), topic: 0, after: 0 }
}

/** Reads the stops that are being carried out, or were cut off, by any connection. */
export class PendingStops {
  readonly #all: Statement<[], StopRow>

  constructor(database: Database, { stops }: Tables) {
    this.#all = database
      .prepare<[], StopRow>(`SELECT id, topics, excluded, topic, after FROM ${stops} ORDER BY id`)
      .safeIntegers(false)
  }

  all(): Stop[] {
    return this.#all.all().map(({ topics, excluded, ...place }) => ({
      ...place,
      topics: JSON.parse(topics) as string[],
      except: new Set(JSON.parse(excluded) as string[]),
    }))
  }
}

/** Writes them. */
export class StopRows {
  readonly #insert: Statement<[object]>
  readonly #move: Statement<[number, number, number]>
  readonly #delete: Statement<[number]>
  readonly #setAside: Statement<[number, string]>
  readonly #takeAside: Statement<[stop: number, count: number], string>

  constructor(database: Database, { stops, aside }: Tables) {
    this.#insert = database.prepare(
      `INSERT INTO ${stops} (id, topics, excluded, topic, after) VALUES (@id, @topics, @excluded, @topic, @after)`,
    )
    this.#move = database.prepare(`UPDATE ${stops} SET topic = ?, after = ? WHERE id = ?`)
    this.#delete = database.prepare(`DELETE FROM ${stops} WHERE id = ?`)
    this.#setAside = database.prepare(`INSERT INTO ${aside} (stop, record) VALUES (?, ?)`)
    this.#takeAside = database
      .prepare<[number, number], string>(
        `DELETE FROM ${aside} WHERE number IN (SELECT number FROM ${aside} WHERE stop = ? LIMIT ?) RETURNING record`,
      )
      .pluck()
  }

  insert({ id, topics, except, topic, after }: Stop, { channel }: WriteTransaction): void {
    this.#insert.run({
      id,
      topics: JSON.stringify(topics),
      excluded: JSON.stringify([...except]),
      topic,
      after,
    })
    channel.stops += 1
  }

  /** Stores how far it is carried out. */
  move({ id, topic, after }: Stop): void {
    this.#move.run(topic, after, id)
  }

  delete({ id }: Stop, { channel }: WriteTransaction): void {
    this.#delete.run(id)
    channel.stops -= 1
  }

  /** Somebody else removed a client whom the stop hit. */
  setAside({ id }: Stop, client: CometClient): void {
    this.#setAside.run(id, JSON.stringify(client))
  }

  takeAside({ id }: Stop, count: number): CometClient[] {
    return this.#takeAside.all(id, count).map((record) => JSON.parse(record) as CometClient)
  }
}

/** Whether the stop hit this client, which still has its row. */
export function isHit(row: ClientRow, { id, topics, except }: Stop): boolean {
  const { generation, publicToken, userId, sessionId } = row
  if (generation > id || except.has(publicToken)) return false
  const addresses = new Set([EVERYBODY, clientTopic(publicToken)])
  if (userId !== null) addresses.add(userTopic(userId))
  if (sessionId !== null) addresses.add(sessionTopic(sessionId))
  for (const { group, joined, left } of membershipsOf(row).memberships) {
    if (left === undefined && joined < id) addresses.add(groupTopic(group))
  }
  return topics.some((topic) => addresses.has(topic))
}
