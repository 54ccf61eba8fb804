import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { Done, Operation, ProviderListener, RetainedLog } from 'koa-comet'
import { claim, initialise, reply } from '../../providers/contract/operations.ts'
import { FileCometStateProvider } from '../../samples/custom-provider/file-comet-state-provider.ts'
import { ROOT } from '../support/consumer-folder.ts'

const RETENTION = { seconds: 600, messages: 10_000, bytes: 10_000_000 }

/** Appends for as long as it lives, and says what was stored. The file is written anew every few appends. */
const SCRIPT = `
import { FileCometStateProvider } from 'provider'

const provider = new FileCometStateProvider(process.argv[2], { shortenAfterBytes: 1000 })
const listener = { reset() {}, entries() {}, unavailable() {}, available() {} }
await provider.open('chat', listener, ${JSON.stringify(RETENTION)})
for (;;) {
  const [{ id }] = await provider.append([{ kind: 'send', topics: ['*'], except: [], name: 'n', contents: '1' }])
  process.stdout.write(id + '\\n')
  await provider.removeExpired()
}
`

const send = (contents = '1'): Operation => {
  return { kind: 'send', topics: ['*'], except: [], name: 'n', contents, key: contents }
}

let folder: string
let file: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'comet-files-'))
  file = join(folder, 'chat.log')
})
afterEach(() => rm(folder, { recursive: true }))

/** Opens the folder, and closes it after the work, which is given what a manager is told. */
async function withFolder<T>(
  work: (provider: FileCometStateProvider, log: RetainedLog) => Promise<T>,
  now?: () => number,
): Promise<T> {
  const provider = new FileCometStateProvider(folder, now ? { now } : {})
  let told: RetainedLog | undefined
  const ignore = (): void => undefined
  const listener: ProviderListener = {
    reset(log) {
      told = log
    },
    entries: ignore,
    unavailable: ignore,
    available: ignore,
  }
  try {
    await provider.open('chat', listener, RETENTION)
    return await work(provider, told!)
  } finally {
    await provider.close()
  }
}

const messagesIn = ({ entries }: RetainedLog): unknown[] =>
  entries.map((entry) => entry.kind === 'message' && entry.contents)

describe('The file of the sample custom-provider', () => {
  test('holds the first so many appends, each wholly, wherever it ends, and goes on from there', async () => {
    const ends: number[] = []
    await withFolder(async (provider) => {
      for (const contents of ['1', '2', '3']) {
        await provider.append([send(contents), send(`${contents}0`)])
        ends.push((await readFile(file)).length)
      }
    })
    const whole = await readFile(file)
    for (let bytes = ends[1]!; bytes <= whole.length; bytes += 1) {
      await writeFile(file, whole.subarray(0, bytes))
      const count = ends.filter((end) => end <= bytes).length
      const expected = ['1', '10', '2', '20', '3', '30'].slice(0, 2 * count)
      await withFolder(async (provider, log) => {
        expect(messagesIn(log)).toEqual(expected)
        const [outcome] = await provider.append([send('4')])
        expect(outcome).toMatchObject({ id: log.head + 1 })
      })
      await withFolder(async (_, log) => expect(messagesIn(log)).toEqual([...expected, '4']))
    }
  })

  test('is refused, and left as it is, when it is damaged before its end', async () => {
    await withFolder(async (provider) => {
      for (const contents of ['1', '2']) await provider.append([send(contents)])
    })
    const damaged = (await readFile(file, 'utf8')).replace('"1"', '"1')
    await writeFile(file, damaged)
    await expect(withFolder(async () => undefined)).rejects.toThrow(/chat\.log is damaged at byte \d+/)
    expect(await readFile(file, 'utf8')).toBe(damaged)
  })

  test('can be read by its owner only', async () => {
    await withFolder(async () => undefined)
    const { mode } = await stat(file)
    expect(mode & 0o777).toBe(0o600)
  })

  test('keeps what is left of a lease when the clock was set back between two processes', async () => {
    let nowMs = 3_600_000
    const at = () => nowMs
    await withFolder(async (provider) => {
      await provider.append([initialise('ann', { leaseSeconds: 6 })])
      await provider.removeExpired()
    }, at)
    nowMs = 0
    await withFolder(async (provider) => {
      expect(await provider.removeExpired()).toEqual([])
      nowMs = 5_000
      expect(await provider.removeExpired()).toEqual([])
      nowMs = 7_000
      expect(await provider.removeExpired()).toMatchObject([
        { client: { publicToken: 'ann' }, reason: 'idle' },
      ])
    }, at)
  })

  test('holds 16 MiB of replies, the newest, and all claims', async () => {
    const text = JSON.stringify('x'.repeat(1024 * 1024 - 2))
    const key = (index: number) => `key ${String(index).padStart(2, '0')}`
    const ann = await withFolder(async (provider) => {
      const [done] = await provider.append([initialise('ann')])
      const client = (done as Done).client!
      for (let index = 0; index < 20; index += 1) {
        const run = claim(client, key(index), 'run 1')
        expect(await provider.claim([run])).toEqual(['claimed'])
        await provider.settle([reply(run, text)])
      }
      return client
    })
    await withFolder(async (provider) => {
      const keys = Array.from({ length: 20 }, (_, index) => key(index))
      const outcomes = await provider.claim(keys.map((each) => claim(ann, each, 'run 2')))
      expect(outcomes.slice(0, 4)).toEqual(['unknown', 'unknown', 'unknown', 'unknown'])
      for (const outcome of outcomes.slice(4)) expect(outcome).toEqual({ reply: text })
    })
  })

  test('has all that was answered when its process was killed, and no id is given twice', async () => {
    const script = join(folder, 'script.mjs')
    await writeFile(join(folder, 'source.mjs'), SCRIPT)
    await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
    const provider = join(ROOT, 'samples/custom-provider/file-comet-state-provider.ts')
    const contract = join(ROOT, 'lib/index.ts')
    await promisify(execFile)(join(ROOT, 'node_modules/.bin/esbuild'), [
      join(folder, 'source.mjs'),
      ...['--bundle', '--platform=node', '--format=esm', '--packages=external', '--log-level=warning'],
      ...[`--alias:provider=${provider}`, `--alias:koa-comet=${contract}`, `--outfile=${script}`],
    ])
    const answered: number[] = []
    for (const lives of [1, 7, 20, 33, 50]) {
      const child = spawn(process.execPath, [script, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
      const exited = once(child, 'exit')
      const until = answered.length + lives
      for await (const line of createInterface({ input: child.stdout })) {
        answered.push(Number(line))
        if (answered.length === until) child.kill('SIGKILL')
      }
      expect((await exited)[1]).toBe('SIGKILL')
    }
    await withFolder(async (_, log) => {
      const stored = log.entries.map(({ id }) => id)
      expect(stored).toEqual(expect.arrayContaining(answered))
      expect(stored).toEqual([...new Set(stored)].sort((one, other) => one - other))
      expect(answered).toEqual([...new Set(answered)].sort((one, other) => one - other))
    })
  })
})
