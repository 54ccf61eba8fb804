import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import Database from 'better-sqlite3'
import { SqliteCometStateProvider } from 'koa-comet/providers/sqlite'
import { RawPage } from '../support/raw-page.ts'
import { closeSites, openSite, type Site } from '../support/site.ts'
import { bundled, type Program } from './sqlite-child-process.ts'

let program: Program
let folder: string
let file: string
let site: Site
let page: RawPage

beforeAll(async () => {
  program = await bundled('transaction-process.ts')
})
afterAll(() => program.remove())

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'koa-comet-shops-'))
  file = join(folder, 'shop.db')
  site = await openSite({ provider: new SqliteCometStateProvider(file) })
  page = new RawPage(await site.newClient())
  const app = new Database(file)
  app.exec('CREATE TABLE orders (id INTEGER PRIMARY KEY, goods TEXT NOT NULL)')
  app.close()
})

afterEach(async () => {
  await closeSites()
  rmSync(folder, { recursive: true })
})

/** Resolves with what the shop wrote, when it has ended, however it does. */
function runShop(shop: string, sales: number, ending = 'orderly'): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [program.path, file, shop, `${sales}`, ending], (error, stdout, stderr) => {
      if (error && error.signal !== 'SIGKILL') reject(new Error(stderr))
      else resolve(stdout)
    })
  })
}

function orders(): unknown[] {
  const database = new Database(file, { readonly: true })
  const goods = database.prepare('SELECT goods FROM orders ORDER BY id').pluck().all()
  database.close()
  return [...goods]
}

describe('two processes that sell in transactions, side by side', () => {
  test('tell of each order that was committed, once, in the order of the commits, and of no other', async () => {
    const rolledBack = await Promise.all([runShop('A', 60), runShop('B', 60)])
    expect(rolledBack).toEqual(['20', '20'])
    while (page.contents.length < 80) await page.poll(site.url, { waitSeconds: 1 })
    expect(page.contents).toEqual(orders())
    expect(page.contents).toHaveLength(80)
    expect(page.resets).toEqual([])
  })
})

describe('a process that dies', () => {
  test.each([
    ['after-commit', ['A 0', 'A last']],
    ['before-commit', ['A 0']],
  ])('%s: the commit decides, for the order and for the message', async (ending, told) => {
    await runShop('A', 1, ending)
    while (page.contents.length < told.length) await page.poll(site.url, { waitSeconds: 1 })
    await page.glance(site.url)
    expect([orders(), page.contents]).toEqual([told, told])
  })
})
