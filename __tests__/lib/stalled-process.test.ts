import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test } from '@jest/globals'
import { type PageClient, TestPage } from '../support/test-page.ts'
import { TRANSPORTS } from '../support/transports.ts'

/** A server of its own process, from the built package: says its address, its clients, and who was removed. */
const SERVER = `
  import Koa from 'koa'
  import { CometStateManager } from 'koa-comet'
  import { InProcCometStateProvider } from 'koa-comet/providers/in-proc'
  const say = (said) => console.log(JSON.stringify(said))
  const channel = new CometStateManager(new InProcCometStateProvider())
  channel.on('clientDisconnected', ({ publicToken }) => say({ removed: publicToken }))
  const timeouts = { connectionTimeoutSeconds: 1, connectionIdleSeconds: 1 }
  const clients = [
    await channel.initializeClient({ publicToken: 'ann', ...timeouts }),
    await channel.initializeClient({ publicToken: 'bob', ...timeouts }),
    await channel.initializeClient({ publicToken: 'cid', ...timeouts }),
  ]
  const server = new Koa().use(channel.mount()).listen(0, '127.0.0.1', () => {
    say({ url: 'http://127.0.0.1:' + server.address().port + '/comet', clients })
  })
`

interface Said {
  readonly url?: string
  readonly clients?: readonly PageClient[]
  readonly removed?: string
}

let server: ChildProcess | undefined

afterEach(async () => {
  if (server === undefined || server.exitCode !== null) return
  server.kill('SIGKILL')
  await once(server, 'exit')
})

test('Row 29: clients that keep coming, over each transport, outlive stops of the whole server process longer than their lease', async () => {
  const root = join(import.meta.dirname, '../..')
  const child = spawn(process.execPath, ['--input-type=module', '-e', SERVER], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  server = child
  const removed: string[] = []
  const { url, clients } = await new Promise<Said>((resolve) => {
    createInterface(child.stdout).on('line', (line) => {
      const said = JSON.parse(line) as Said
      if (said.removed !== undefined) removed.push(said.removed)
      else resolve(said)
    })
  })
  let isOver = false
  const pages = TRANSPORTS.map((transport, index) => new TestPage(transport, clients![index]!))
  const reading = pages.map(async (page) => {
    while (!isOver) await page.next(url!, { waitSeconds: 1 })
  })
  for (const stoppedMs of [6500, 1000, 6500]) {
    child.kill('SIGSTOP')
    await sleep(stoppedMs)
    child.kill('SIGCONT')
    await sleep(700)
  }
  isOver = true
  await Promise.all(reading)
  expect([removed, new Set(pages.flatMap(({ statuses }) => statuses))]).toEqual([[], new Set([200])])
  expect(pages.flatMap(({ resets }) => resets)).toEqual([])
}, 60_000)
