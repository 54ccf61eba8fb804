import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import {
  cyclesIn,
  forbiddenImports,
  type Imports,
  importsIn,
  importsOf,
  type Layers,
  sourcesIn,
  upwardImports,
} from './support/imports.ts'

const ROOT = join(import.meta.dirname, '..')
const FOLDERS = ['lib', 'providers', 'client', 'samples']
const MAX_LINES = 250

const LAYERS_OF_LIB: Layers = [
  [
    'words',
    /^lib\/(wire|cursor|topics|seconds|comet-message|comet-entry|comet-client|comet-exception|comet-operation|comet-claim|comet-action|memberships|message-types|private-token|checks|ticker|debug)\.ts$/,
  ],
  [
    'contract',
    /^lib\/(comet-state-provider|provider-feed|provider-link|deadline|serial-calls|call-batch|answer)\.ts$/,
  ],
  ['log and queue', /^lib\/(entry-list|retained-window|presence|places|message-log|write-queue)\.ts$/],
  [
    'what the app gives',
    /^lib\/(audience|initialize-parameters|send-parameters|history|options|complete-options|channel-events)\.ts$/,
  ],
  ['subscribe', /^lib\/subscribe\//],
  ['transports', /^lib\/transports\//],
  ['upstream', /^lib\/upstream\//],
  ['node', /^lib\/(idle-sweep|channel-node|channel-stats|channel-clients)\.ts$/],
  ['handlers', /^lib\/handlers\//],
  ['manager', /^lib\/comet-state-manager\.ts$/],
  ['index', /^lib\/index\.ts$/],
]

/** The window is the one thing beyond that: how much is retained must not be counted in two ways. */
const WORDS_AND_CONTRACT =
  /^lib\/(wire|cursor|topics|seconds|memberships|comet-message|comet-client|comet-claim|comet-exception|comet-state-provider|retained-window)\.ts$/

/** Makes the client’s files at build time, and is no part of it. */
const BUNDLER = 'client/bundle.js'

const sources = sourcesIn(ROOT, FOLDERS)
const imports = importsOf(sources)

function below(folder: string): Imports {
  return new Map([...imports].filter(([file]) => file.startsWith(`${folder}/`)))
}

const isOf = (folder: string, imported: string): boolean => imported.startsWith(`${folder}/`)
const isPackage = (imported: string): boolean =>
  !FOLDERS.some((folder) => isOf(folder, imported)) && !imported.startsWith('..')

describe('The tree', () => {
  test('has no circle of imports, types included', () => {
    expect(cyclesIn(imports)).toEqual([])
  })

  test('each layer of lib imports only those before it', () => {
    expect(upwardImports(below('lib'), LAYERS_OF_LIB)).toEqual([])
  })

  test('lib knows no provider, no client, and not the package itself', () => {
    expect(
      forbiddenImports(
        below('lib'),
        (each) => isOf('lib', each) || (isPackage(each) && !each.startsWith('koa-comet')),
      ),
    ).toEqual([])
  })

  test.each([
    ['in-proc', 'none'],
    ['sqlite', 'better-sqlite3'],
    ['redis', 'none'],
    ['shared', 'none'],
    ['contract', 'none'],
  ])('the provider folder %s knows words and contract, itself, and of packages %s', (folder, packageName) => {
    const isAllowed = (each: string): boolean =>
      isOf(`providers/${folder}`, each) ||
      isOf('providers/shared', each) ||
      WORDS_AND_CONTRACT.test(each) ||
      each === packageName ||
      (isPackage(each) && each.startsWith('node:'))
    expect(forbiddenImports(below(`providers/${folder}`), isAllowed)).toEqual([])
  })

  test('the client knows the wire’s words only, and has no dependency', () => {
    const client = new Map([...below('client')].filter(([file]) => file !== BUNDLER))
    const isOfClient = (each: string): boolean => isOf('client', each) && each !== BUNDLER
    expect(forbiddenImports(client, (each) => isOfClient(each) || each === 'lib/wire.ts')).toEqual([])
  })

  test('the wire’s words import nothing', () => {
    expect(imports.get('lib/wire.ts')).toEqual([])
  })

  test('samples import the package by its name only, and nothing of another sample', () => {
    const isOfAll = (each: string): boolean => /^samples\/[^/]+\.ts$/.test(each)
    expect(
      forbiddenImports(
        below('samples'),
        (each, file) => isPackage(each) || isOfAll(each) || isOf(file.split('/').slice(0, 2).join('/'), each),
      ),
    ).toEqual([])
  })

  test(`has no file over ${MAX_LINES} lines`, () => {
    const long = [...sources].filter(([, source]) => source.trimEnd().split('\n').length > MAX_LINES)
    expect(long.map(([file]) => file)).toEqual([])
  })

  test('uses no Math.random: what is random here is secret or spreads a load', () => {
    expect([...sources].filter(([, source]) => source.includes('Math.random')).map(([file]) => file)).toEqual(
      [],
    )
  })

  test('was really looked at', () => {
    for (const folder of FOLDERS) expect(below(folder).size).toBeGreaterThan(1)
    expect(imports.get('lib/comet-state-manager.ts')).toContain('lib/channel-node.ts')
  })
})

describe('These checks find', () => {
  const planted: Imports = new Map([
    ['lib/wire.ts', ['lib/index.ts']],
    ['lib/message-log.ts', ['lib/wire.ts', 'lib/transports/long-polling.ts']],
    ['lib/transports/long-polling.ts', ['lib/message-log.ts']],
    ['lib/index.ts', ['lib/comet-utils.ts', 'koa']],
    ['lib/comet-utils.ts', []],
  ])

  test('a circle, once', () => {
    expect(cyclesIn(planted)).toEqual([['lib/message-log.ts', 'lib/transports/long-polling.ts']])
    expect(cyclesIn(new Map([['a', ['a']]]))).toEqual([['a']])
  })

  test('an import of a layer above, and a file that is in none', () => {
    expect(upwardImports(planted, LAYERS_OF_LIB)).toEqual([
      'lib/wire.ts imports lib/index.ts',
      'lib/message-log.ts imports lib/transports/long-polling.ts',
      'lib/comet-utils.ts is in no layer',
    ])
  })

  test('an import that is not allowed', () => {
    expect(forbiddenImports(planted, isPackage)).toContain('lib/wire.ts imports lib/index.ts')
    expect(forbiddenImports(planted, (each) => each !== 'koa')).toEqual(['lib/index.ts imports koa'])
  })

  test('every kind of import in a source', () => {
    const source = `
import type { A } from './a.ts'
import b, {
  type B,
} from "./b.ts"
import './c.ts'
export { d } from './d.ts'
export * from './e.ts'
export type { F } from './f.ts'
const g = await import('./g.ts')
const text = "a word from 'nowhere'"
// import { h } from './h.ts'
`
    expect(importsIn(source)).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => `./${name}.ts`))
  })

  test('an import through the files of a folder above', () => {
    const found = importsOf(new Map([['lib/subscribe/x.ts', "import { y } from '../y.ts'\n"]]))
    expect(found.get('lib/subscribe/x.ts')).toEqual(['lib/y.ts'])
  })
})
