import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import Database from 'better-sqlite3'
import { CometStateManager } from 'koa-comet'
import { InProcCometStateProvider } from 'koa-comet/providers/in-proc'
import { SqliteCometStateProvider } from 'koa-comet/providers/sqlite'
import { eventually } from '../support/eventually.ts'
import { glance, type PollAnswer } from '../support/page.ts'
import { closeSites, openSite, type Site } from '../support/site.ts'

let folder: string
let file: string
let site: Site
let app: Database.Database
/** The private token of the client whose page is looked at. */
let token: string

/** A connection of the app, as its own code would open it. */
function connect(path = file): Database.Database {
  const database = new Database(path)
  database.pragma('journal_mode = WAL')
  database.pragma('synchronous = FULL')
  return database
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'koa-comet-transactions-'))
  file = join(folder, 'shop.db')
  site = await openSite({
    provider: new SqliteCometStateProvider(file),
    options: { providerTimeoutSeconds: 3 },
  })
  await site.channel.open()
  token = (await site.newClient()).privateToken
  app = connect()
  app.exec('CREATE TABLE orders (id INTEGER PRIMARY KEY, goods TEXT NOT NULL)')
})

afterEach(async () => {
  if (app.open) app.close()
  await closeSites()
  rmSync(folder, { recursive: true })
})

const order = (goods: string): number =>
  Number(app.prepare('INSERT INTO orders (goods) VALUES (?)').run(goods).lastInsertRowid)
const orders = (): unknown[] => app.prepare('SELECT goods FROM orders ORDER BY id').pluck().all()
const messages = async (): Promise<unknown[]> => {
  const { messages }: PollAnswer = await glance(site.url, token)
  return messages.filter(({ n }) => !n.startsWith('aspNetComet.')).map(({ c }) => c)
}
/** Sends within the app's transaction. */
const tell = (goods: string, options: object = {}): Promise<number> =>
  site.channel.sendMessage('Ordered', goods, { transaction: app, ...options })

/** Does it in one transaction. `database.transaction` itself passes no promises out. */
function within<T>(work: () => T): T {
  const results: T[] = []
  app.transaction(() => void results.push(work()))()
  return results[0]!
}

describe('a message within a transaction of the app', () => {
  test('is sent when the transaction is committed, with all that it wrote', async () => {
    const id = await within(() => {
      order('tea')
      return tell('tea')
    })
    expect([orders(), await messages()]).toEqual([['tea'], ['tea']])
    expect(site.channel.cursor().messageId).toBe(id)
  })

  test('is not sent when it is rolled back, and says so', async () => {
    let sending: Promise<number> | undefined
    const buy = app.transaction(() => {
      order('tea')
      sending = tell('tea')
      throw new Error('no tea')
    })
    expect(buy).toThrow('no tea')
    await expect(sending).rejects.toMatchObject({ code: 'COMET_ROLLED_BACK' })
    expect([orders(), await messages()]).toEqual([[], []])
  })

  test('need not be awaited: a rollback is then no unhandled rejection', async () => {
    app.exec('BEGIN')
    void tell('tea')
    app.exec('ROLLBACK')
    // With an unhandled rejection this process would end.
    for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate)
    await site.channel.sendMessage('Ordered', 'coffee')
    expect(await messages()).toEqual(['coffee'])
  })

  test('takes the id of one that was rolled back, and neither is taken for the other', async () => {
    app.exec('BEGIN')
    const first = tell('tea')
    app.exec('ROLLBACK')
    app.exec('BEGIN')
    const second = tell('coffee')
    app.exec('COMMIT')
    await expect(first).rejects.toMatchObject({ code: 'COMET_ROLLED_BACK' })
    expect(await second).toBe(site.channel.cursor().messageId)
    expect(await messages()).toEqual(['coffee'])
  })

  test('waits as long as the transaction is open, over turns, and comes with its commit', async () => {
    // Then its lease needs no renewal, for which the app's transaction would be in the way.
    await messages()
    app.exec('BEGIN IMMEDIATE')
    let isSettled = false
    const sending = tell('tea').finally(() => {
      isSettled = true
    })
    // Longer than a look at the file takes.
    const before = Date.now()
    await eventually(() => Date.now() - before > 100)
    expect([isSettled, await messages()]).toEqual([false, []])
    order('tea')
    app.exec('COMMIT')
    await sending
    expect([orders(), await messages()]).toEqual([['tea'], ['tea']])
  })

  test('is one of several, each in its place', async () => {
    const ids = within(() => ['tea', 'coffee', 'milk'].map((goods) => tell(goods)))
    const [tea, coffee, milk] = await Promise.all(ids)
    expect([tea! < coffee!, coffee! < milk!]).toEqual([true, true])
    expect(await messages()).toEqual(['tea', 'coffee', 'milk'])
  })

  test('goes with the savepoint that it was sent in', async () => {
    app.exec('BEGIN')
    const kept = tell('tea')
    app.exec('SAVEPOINT inner')
    const dropped = tell('coffee')
    app.exec('ROLLBACK TO inner')
    app.exec('COMMIT')
    await expect(dropped).rejects.toMatchObject({ code: 'COMET_ROLLED_BACK' })
    await kept
    expect(await messages()).toEqual(['tea'])
  })

  test('is gone when the connection is closed with its transaction open', async () => {
    app.exec('BEGIN')
    const sending = tell('tea')
    app.close()
    await expect(sending).rejects.toMatchObject({ code: 'COMET_ROLLED_BACK' })
  })

  test('whose transaction is open when the channel closes says that its fate is unknown', async () => {
    app.exec('BEGIN')
    const sending = tell('tea')
    await site.channel.close()
    await expect(sending).rejects.toMatchObject({ code: 'COMET_CHANNEL_IS_CLOSED' })
    app.exec('COMMIT')
  })

  test('is for whom the options say, and known by its key', async () => {
    const [ann, bob] = [
      await site.newClient({ publicToken: 'ann' }),
      await site.newClient({ publicToken: 'bob' }),
    ]
    const buy = () => within(() => tell('tea', { to: 'ann', key: 'order 1' }))
    const first = await buy()
    expect(await buy()).toBe(first)
    expect(await site.channel.sendMessage('Ordered', 'again', { to: 'ann', key: 'order 1' })).toBe(first)
    const heard = await Promise.all([ann, bob].map(({ privateToken }) => glance(site.url, privateToken)))
    expect(heard.map(({ messages }) => messages.map(({ c }) => c))).toEqual([['tea'], [null]])
  })

  test('repeated by its key within one transaction is one message', async () => {
    const [first, second] = within(() => [1, 2].map(() => tell('tea', { key: 'order 1' })))
    expect(await first).toBe(await second)
    expect(await messages()).toEqual(['tea'])
  })

  test('works on a connection that reads BigInts and has temporary tables of our names', async () => {
    app.defaultSafeIntegers(true)
    app.exec('CREATE TEMP TABLE comet_channels (x)')
    await within(() => tell('tea'))
    expect(await messages()).toEqual(['tea'])
  })
})

describe('what can be refused is refused at once, before anything is written:', () => {
  /** The transaction that it was refused in is rolled back by the throw, as by any other. */
  function expectRefusal(options: object, refusal: object | RegExp, contents: unknown = 'tea'): void {
    const buy = app.transaction(() => {
      order('tea')
      void site.channel.sendMessage('Ordered', contents, { transaction: app, ...options })
    })
    if (refusal instanceof RegExp) expect(buy).toThrow(refusal)
    else expect(buy).toThrow(expect.objectContaining(refusal) as unknown as Error)
    expect(orders()).toEqual([])
  }

  test('a receiver that does not exist', () => {
    expectRefusal({ to: 'nobody' }, { code: 'COMET_CLIENT_DOES_NOT_EXIST' })
  })

  test('contents that are too large', () => {
    expectRefusal({}, { code: 'COMET_MESSAGE_IS_TOO_LARGE' }, 'x'.repeat(300_000))
  })

  test('options that are none', () => {
    expectRefusal({ too: 'ann' }, /too/)
  })

  test('a transaction that is undefined by mistake', () => {
    expectRefusal({ transaction: undefined }, /transaction/)
  })

  test('what is no connection, or one that is closed', () => {
    expectRefusal({ transaction: {} }, /better-sqlite3/)
    const closed = connect()
    closed.close()
    expectRefusal({ transaction: closed }, /open/)
  })

  test('a connection without a transaction', () => {
    const idle = connect()
    expectRefusal({ transaction: idle }, /begin one/)
    idle.close()
  })

  test('a connection to another file', () => {
    const other = connect(join(folder, 'other.db'))
    other.exec('BEGIN')
    expectRefusal({ transaction: other }, /own file/)
    other.close()
  })

  test('but not a connection to the same file by a symbolic link', async () => {
    symlinkSync(file, join(folder, 'link.db'))
    const link = connect(join(folder, 'link.db'))
    link.exec('BEGIN')
    const sending = site.channel.sendMessage('Ordered', 'tea', { transaction: link })
    link.exec('COMMIT')
    await sending
    link.close()
  })

  test('a connection that is less durable than the channel', () => {
    const loose = connect()
    loose.pragma('synchronous = NORMAL')
    loose.exec('BEGIN')
    expectRefusal({ transaction: loose }, /synchronous = full/i)
    loose.close()
  })

  test('a channel that is closed, or not open yet', async () => {
    const other = new CometStateManager(new SqliteCometStateProvider(file), { name: 'other' })
    app.exec('BEGIN')
    const send = () => void other.sendMessage('M', 1, { transaction: app })
    expect(send).toThrow(expect.objectContaining({ code: 'COMET_CHANNEL_IS_NOT_OPEN' }) as unknown as Error)
    app.exec('ROLLBACK')
    await other.close()
    app.exec('BEGIN')
    expect(send).toThrow(expect.objectContaining({ code: 'COMET_CHANNEL_IS_CLOSED' }) as unknown as Error)
  })

  test('a provider that has no transactions', async () => {
    const other = new CometStateManager(new InProcCometStateProvider())
    await other.open()
    expect(() => void other.sendMessage('M', 1, { transaction: app })).toThrow(/transactions/)
    await other.close()
  })
})
