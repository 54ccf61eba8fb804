import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { dirname, join, normalize } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type ConsumerFolder, consumerFolder, ROOT } from './support/consumer-folder.ts'

const run = promisify(execFile)
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc')

const MANIFEST = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Readonly<
  Record<'exports' | 'dependencies' | 'peerDependencies', object>
>

const BUNDLES = ['dist/client/client.js', 'dist/client/client.global.js']

/** Everything but the code. */
const TEXTS = [
  'CHANGELOG.md',
  'LICENSE',
  'README.md',
  'lib/README.md',
  'package.json',
  'providers/README.md',
  'providers/redis/README.md',
  'providers/sqlite/README.md',
]

const IMPORTS_ALL = `
import { createRequire } from 'node:module'
import * as comet from 'koa-comet'
import * as client from 'koa-comet/client'
import * as inProc from 'koa-comet/providers/in-proc'
import * as sqlite from 'koa-comet/providers/sqlite'
import * as redis from 'koa-comet/providers/redis'
import * as contract from 'koa-comet/providers/contract'
import 'koa-comet/client.js'

const require = createRequire(import.meta.url)
const scripts = ['koa-comet/client.js', 'koa-comet/client.global.js'].map((name) => require.resolve(name))
console.log(JSON.stringify({ names: [comet, client, inProc, contract, sqlite, redis].map((each) => Object.keys(each)), scripts }))
`

const USES_SERVER = `
import Koa from 'koa'
import { CometException, CometStateManager, type CometClient, type CometOptions } from 'koa-comet'
import { describeCometStateProvider } from 'koa-comet/providers/contract'
import { InProcCometStateProvider } from 'koa-comet/providers/in-proc'
import { RedisCometStateProvider } from 'koa-comet/providers/redis'
import { SqliteCometStateProvider } from 'koa-comet/providers/sqlite'
import { createClient } from 'redis'

const options: CometOptions = { register: (ctx) => ({ displayName: String(ctx.query.name) }) }
const channel = new CometStateManager(new InProcCometStateProvider(), options)
channel.on('clientDisconnected', (client: CometClient, { reason }) => console.log(client.displayName, reason))
new Koa().use(channel.mount('/comet'))
export const other = new CometStateManager(new SqliteCometStateProvider('file.db', { durability: 'normal' }))
export const third = new CometStateManager(new RedisCometStateProvider(createClient(), { prefix: 'shop' }))
export const fourth = new RedisCometStateProvider(async () => createClient({ RESP: 3, url: 'redis://127.0.0.1' }))
export const id: Promise<number> = channel.sendMessage('News', { text: 'a' }, { to: ['bob'] })
export const status: number = new CometException('COMET_QUEUE_IS_FULL', '').status
export const suite: (name: string, options: never) => void = describeCometStateProvider
// @ts-expect-error the seed's order of arguments is none of ours
channel.sendMessage('bob', 'News', 'text')
`

const USES_CLIENT = `
import { CometChannel, type CometError } from 'koa-comet/client'

const channel = new CometChannel<{ News: { text: string } }>('/comet', null, 'news', { credentials: 'include' })
channel.on('News', ({ text }) => text.toUpperCase())
channel.addFailureHandler((_token, _alias, error: CometError) => error.willRetry)
channel.addEventListener('reset', ({ detail }) => detail.reason === 'trimmed')
export const left: Promise<void> = channel.leave()
// @ts-expect-error no such message
channel.on('Old', () => {})
`

describe('The package as npm packs it', () => {
  let folder: ConsumerFolder
  let files: string[]

  beforeAll(async () => {
    // What it says that it depends on, and nothing else.
    const { dependencies, peerDependencies } = MANIFEST
    folder = await consumerFolder(...Object.keys({ ...dependencies, ...peerDependencies }))
    const { stdout } = await run(
      'npm',
      ['pack', '--json', '--ignore-scripts', '--pack-destination', folder.path],
      {
        cwd: ROOT,
      },
    )
    const [packed] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }]
    files = packed.files.map(({ path }) => path)
    const place = join(folder.path, 'node_modules/koa-comet')
    await mkdir(place)
    await run('tar', ['-xzf', packed.filename, '-C', place, '--strip-components=1'], { cwd: folder.path })
  })

  afterAll(async () => {
    await folder.remove()
  })

  async function typeErrors(name: string, options: object): Promise<string> {
    const compilerOptions = {
      module: 'nodenext',
      moduleResolution: 'nodenext',
      target: 'es2023',
      strict: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
      ...options,
    }
    await folder.write(`${name}.json`, JSON.stringify({ compilerOptions, files: [`${name}.ts`] }))
    const { stdout } = await run(process.execPath, [TSC, '-p', `${name}.json`], { cwd: folder.path }).catch(
      (error: { stdout: string }) => error,
    )
    return stdout
  }

  test('has every entry of its exports for a consumer who imports it', async () => {
    await folder.write('imports-all.js', IMPORTS_ALL)
    const { stdout } = await run(process.execPath, ['imports-all.js'], { cwd: folder.path })
    const { names, scripts } = JSON.parse(stdout) as { names: string[][]; scripts: string[] }
    const expected = [
      ['CometStateManager', 'CometException'],
      ['CometChannel', 'CometError'],
    ]
    for (const [index, each] of expected.entries()) expect(names[index]).toEqual(expect.arrayContaining(each))
    expect(names[2]).toContain('InProcCometStateProvider')
    expect(names[3]).toContain('describeCometStateProvider')
    expect(names[4]).toEqual(['SqliteCometStateProvider'])
    expect(names[5]).toEqual(['RedisCometStateProvider'])
    expect(Object.keys(MANIFEST.exports)).toHaveLength(names.length + scripts.length)
    for (const script of scripts) expect((await readFile(script)).length).toBeGreaterThan(0)
  })

  test('has types that a server can use, with those of Koa beside it', async () => {
    await folder.write('server.ts', USES_SERVER)
    const typeRoots = [join(ROOT, 'node_modules/@types')]
    // Koa's own types need not be without fault; a type of ours that is missing is an error of this file.
    const paths = { koa: [join(ROOT, 'node_modules/@types/koa/index.d.ts')] }
    expect(await typeErrors('server', { types: ['node'], typeRoots, paths, skipLibCheck: true })).toBe('')
  })

  test('has a client whose types need neither Node’s nor Koa’s', async () => {
    await folder.write('page.ts', USES_CLIENT)
    const lib = ['es2023', 'dom', 'dom.iterable', 'dom.asynciterable']
    expect(await typeErrors('page', { types: [], lib, skipLibCheck: false })).toBe('')
  })

  test('holds the code, its types, its maps with their sources, and nothing else', async () => {
    const isNeeded = (path: string): boolean => {
      if (TEXTS.includes(path) || BUNDLES.includes(path)) return true
      const built = /^dist\/((?:lib|providers|client)\/.+?)\.(?:js|d\.ts|js\.map)$/.exec(path)
      const source = built ? `${built[1]}.ts` : path
      return /^(?:lib|providers|client)\/.+\.ts$/.test(source) && existsSync(join(ROOT, source))
    }
    expect(files.filter((path) => !isNeeded(path))).toEqual([])
    expect(TEXTS.concat(BUNDLES).filter((path) => !files.includes(path))).toEqual([])
    const maps = files.filter((path) => path.endsWith('.map'))
    expect(maps.length).toBeGreaterThan(0)
    for (const map of maps) {
      const { sources } = JSON.parse(await readFile(join(ROOT, map), 'utf8')) as { sources: string[] }
      const missing = sources.filter((source) => !files.includes(normalize(join(dirname(map), source))))
      expect({ map, missing }).toEqual({ map, missing: [] })
    }
  })
})
