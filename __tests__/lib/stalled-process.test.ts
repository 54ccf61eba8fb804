import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test } from '@jest/globals'
import { poll } from '../support/page.ts'

/** A server of its own process, from the built package: says its address, one client’s token, and who was removed. */
const SERVER = `
  import Koa from 'koa'
  import { CometStateManager } from 'koa-comet'
  import { InProcCometStateProvider } from 'koa-comet/providers/in-proc'
  const say = (said) => console.log(JSON.stringify(said))
  const channel = new CometStateManager(new InProcCometStateProvider())
  channel.on('clientDisconnected', ({ publicToken }) => say({ removed: publicToken }))
  const timeouts = { connectionTimeoutSeconds: 1, connectionIdleSeconds: 1 }
  const { privateToken } = await channel.initializeClient({ publicToken: 'ann', ...timeouts })
  const server = new Koa().use(channel.mount()).listen(0, '127.0.0.1', () => {
    say({ url: 'http://127.0.0.1:' + server.address().port + '/comet', privateToken })
  })
`

interface Said {
  readonly url?: string
  readonly privateToken?: string
  readonly removed?: string
}

let server: ChildProcess | undefined

afterEach(async () => {
  if (server === undefined || server.exitCode !== null) return
  server.kill('SIGKILL')
  await once(server, 'exit')
})

test('Row 29: a client that keeps coming outlives stops of the whole server process, each longer than its lease', async () => {
  const root = join(import.meta.dirname, '../..')
  const child = spawn(process.execPath, ['--input-type=module', '-e', SERVER], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  server = child
  const removed: string[] = []
  const { url, privateToken } = await new Promise<Said>((resolve) => {
    createInterface(child.stdout).on('line', (line) => {
      const said = JSON.parse(line) as Said
      if (said.removed !== undefined) removed.push(said.removed)
      else resolve(said)
    })
  })
  let isOver = false
  const statuses = new Set<number>()
  const page = (async () => {
    let cursor: string | null = null
    while (!isOver) {
      const answer = await poll(url!, privateToken!, cursor === null ? {} : { cursor })
      statuses.add(answer.status)
      cursor = answer.cursor
    }
  })()
  for (const stoppedMs of [6500, 1000, 6500]) {
    child.kill('SIGSTOP')
    await sleep(stoppedMs)
    child.kill('SIGCONT')
    await sleep(700)
  }
  isOver = true
  await page
  expect([removed, [...statuses]]).toEqual([[], [200]])
}, 60_000)
