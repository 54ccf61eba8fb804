import { exec, execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { ICometStateProvider } from '../../lib/comet-state-provider.ts'
import { consumerFolder } from '../support/consumer-folder.ts'
import { failuresOf } from './collecting-runner.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const run = promisify(execFile)

interface SmallProviderModule {
  readonly SmallStore: new (now: () => number) => object
  readonly SmallProvider: new (store: object) => ICometStateProvider
}

describe('The provider in providers/README.md', () => {
  let folder: string
  let provider: string
  let itsTest: string
  let commands: string[]
  /** The rules that the page says its provider does not pass. */
  let lacking: string[]

  beforeAll(async () => {
    const readme = await readFile(join(ROOT, 'providers/README.md'), 'utf8')
    const blocks = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code!)
    expect(blocks).toHaveLength(2)
    commands = /^```sh\n(.*?)^```$/ms.exec(readme)![1]!.trimEnd().split('\n')
    expect(commands).toHaveLength(2)
    const list = /^## A complete small provider\n.*? but these eight:\n\n(.*?)\n\n/ms.exec(readme)![1]!
    lacking = list.split('\n').map((line) => line.replace(/^- /, ''))
    expect(lacking).toHaveLength(8)
    folder = await mkdtemp(join(tmpdir(), 'comet-readme-'))
    provider = join(folder, 'small-provider.ts')
    itsTest = join(folder, 'small-provider.test.ts')
    await writeFile(provider, blocks[0]!)
    await writeFile(itsTest, blocks[1]!)
  })

  afterAll(async () => {
    await rm(folder, { recursive: true })
  })

  test('passes the contract suite, but for the rules that the page lists', async () => {
    const { SmallProvider, SmallStore } = (await import(provider)) as SmallProviderModule
    const failures = await failuresOf({
      create() {
        let nowMs = 0
        const store = new SmallStore(() => nowMs)
        return {
          createProvider: () => new SmallProvider(store),
          advance(seconds) {
            nowMs += seconds * 1000
          },
          dispose: () => undefined,
        }
      },
      without: ['crash', 'interruptions'],
    })
    expect([...failures.keys()].sort()).toEqual(lacking.toSorted())
  })

  test('is compiled and tested by the commands of the page', async () => {
    const app = await consumerFolder('koa-comet')
    try {
      await app.write('small-provider.ts', await readFile(provider, 'utf8'))
      await app.write('small-provider.test.ts', await readFile(itsTest, 'utf8'))
      const [compile, nodeTest] = commands
      const typeRoots = `--typeRoots ${join(ROOT, 'node_modules/@types')}`
      const tsc = compile!.replace('npx tsc', `${join(ROOT, 'node_modules/.bin/tsc')} ${typeRoots}`)
      const { NODE_OPTIONS: _ours, ...env } = process.env
      await promisify(exec)(tsc, { cwd: app.path, env })
      // Fails since some rules do.
      const { stdout } = await promisify(exec)(nodeTest!.replace('--test', '--test --test-reporter=tap'), {
        cwd: app.path,
        env,
        maxBuffer: 16 * 1024 * 1024,
      }).catch((error) => error)
      const failed = [...stdout.matchAll(/not ok \d+ - (.*)/g)].map(([, sentence]) => sentence)
      expect(failed).toEqual(expect.arrayContaining(lacking))
      expect(stdout).toContain(`# fail ${lacking.length}\n`)
      expect(stdout).toMatch(/# pass \d{2}/)
    } finally {
      await app.remove()
    }
  })

  test('satisfies the compiler', async () => {
    const { compilerOptions } = JSON.parse(await readFile(join(ROOT, 'tsconfig.json'), 'utf8'))
    const paths = {
      'koa-comet': [join(ROOT, 'lib/index.ts')],
      'koa-comet/providers/contract': [join(ROOT, 'providers/contract/index.ts')],
    }
    const typeRoots = [join(ROOT, 'node_modules/@types')]
    const options = { ...compilerOptions, rootDir: '/', noEmit: true, typeRoots, paths }
    const project = join(folder, 'tsconfig.json')
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
    await writeFile(project, JSON.stringify({ compilerOptions: options, include: ['*.ts'] }))
    const { stdout } = await run(join(ROOT, 'node_modules/.bin/tsc'), ['-p', project]).catch((error) => error)
    expect(stdout.split('\n').filter((line: string) => line.includes('small-provider'))).toEqual([])
  })
})
