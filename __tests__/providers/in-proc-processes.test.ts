import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { InProcStorage } from 'koa-comet/providers/in-proc'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const run = promisify(execFile)

/** Opens a channel, appends to it, and tells what happened; in a worker of a cluster if it is told so. */
const SCRIPT = `
import cluster from 'node:cluster'
import { InProcCometStateProvider } from 'in-proc'

async function open() {
  const warnings = []
  process.on('warning', ({ code, message }) => warnings.push({ code, message }))
  const provider = new InProcCometStateProvider()
  const listener = { reset() {}, entries() {}, unavailable() {}, available() {} }
  await provider.open('chat', listener, { seconds: 600, messages: 1000, bytes: 1_000_000 })
  const sends = Array.from({ length: 1000 }, () => ({ kind: 'send', topics: ['*'], except: [], name: 'n', contents: '1' }))
  const outcomes = await provider.append(sends)
  await provider.close()
  await new Promise(setImmediate)
  return { warnings, head: outcomes.at(-1).id }
}

if (process.argv[2] !== 'cluster') {
  console.log(JSON.stringify(await open()))
} else if (cluster.isPrimary) {
  cluster.fork().on('message', (report) => console.log(JSON.stringify(report)))
} else {
  process.send(await open(), () => process.disconnect())
}
`

describe('InProcCometStateProvider in processes of its own', () => {
  let folder: string
  let script: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'comet-in-proc-'))
    const source = join(folder, 'source.mjs')
    script = join(folder, 'script.mjs')
    await writeFile(source, SCRIPT)
    const alias = `--alias:in-proc=${join(ROOT, 'providers/in-proc/index.ts')}`
    const bundled = ['--bundle', '--platform=node', '--format=esm', '--log-level=warning', alias]
    await run(join(ROOT, 'node_modules/.bin/esbuild'), [source, ...bundled, `--outfile=${script}`])
  })

  afterAll(async () => {
    await rm(folder, { recursive: true })
  })

  async function reportOf(
    ...args: string[]
  ): Promise<{ head: number; warnings: { code: string; message: string }[] }> {
    const { stdout } = await run(process.execPath, [script, ...args])
    return JSON.parse(stdout)
  }

  test('In a cluster worker it warns, and names the channel', async () => {
    const { warnings } = await reportOf('cluster')
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toMatchObject({ code: 'COMET_IN_PROC_IN_CLUSTER' })
    expect(warnings[0]!.message).toContain("'chat'")
  })

  test('In a process that is no cluster worker it warns of nothing', async () => {
    expect((await reportOf()).warnings).toEqual([])
  })

  test('Its ids are above those that an earlier process gave', async () => {
    const { head } = await reportOf()
    expect(new InProcStorage().channel('chat').retainedLog().head).toBeGreaterThan(head)
  })
})
