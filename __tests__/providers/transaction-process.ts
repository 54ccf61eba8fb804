import Database from 'better-sqlite3'
import { CometStateManager } from '../../lib/index.ts'
import { SqliteCometStateProvider } from '../../providers/sqlite/index.ts'

/**
 * The program of a shop: sells in transactions that write an order and tell of it, then ends as it is told.
 * @param argv file, name of the shop, number of sales, and how it ends: `orderly`, `after-commit`, `before-commit`
 */
const [file, shop, sales, ending] = process.argv.slice(2) as [string, string, string, string]
const channel = new CometStateManager(new SqliteCometStateProvider(file))
await channel.open()
const app = new Database(file)
app.pragma('synchronous = FULL')
const insert = app.prepare('INSERT INTO orders (goods) VALUES (?)')

/** Begun with the write lock: a transaction that reads first can find that another process was faster. */
function sell(goods: string): Promise<number> {
  app.exec('BEGIN IMMEDIATE')
  insert.run(goods)
  return channel.sendMessage('Ordered', goods, { transaction: app })
}

let rolledBack = 0
for (let sale = 0; sale < Number(sales); sale += 1) {
  const selling = sell(`${shop} ${sale}`)
  const isKept = sale % 3 !== 2
  app.exec(isKept ? 'COMMIT' : 'ROLLBACK')
  await selling.catch(({ code }) => {
    if (code === 'COMET_ROLLED_BACK') rolledBack += 1
  })
}
process.stdout.write(`${rolledBack}`)
if (ending !== 'orderly') {
  void sell(`${shop} last`)
  if (ending === 'after-commit') app.exec('COMMIT')
  process.kill(process.pid, 'SIGKILL')
}
app.close()
await channel.close()
