import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { type CometErrorCode, CometException } from '../../lib/comet-exception.ts'
import { SWEEP_PERIOD_SECONDS } from '../../lib/comet-state-provider.ts'
import { DEFAULTS } from '../../lib/options.ts'
import { leaseSeconds } from '../../lib/subscribe/client-lease.ts'
import { ROOT } from '../support/consumer-folder.ts'
import { BLOCKS, block, PROVIDER_BLOCKS, README, REFERENCE, REFERENCE_BLOCKS } from './blocks.ts'

/** The test file that runs each block. */
const RUN_BY: Readonly<Record<string, string>> = {
  newcomer: 'readme.test.ts',
  install: 'readme.test.ts',
  server: 'example.test.ts',
  page: 'example.test.ts',
  sigterm: 'example.test.ts',
  timeline: 'readme.test.ts',
  login: 'login.test.ts',
  'login-page': 'login.test.ts',
  proxy: 'nginx.test.ts',
  testing: 'testing.test.ts',
  rooms: 'rooms.test.ts',
  'rooms-page': 'rooms.test.ts',
  entering: 'rooms.test.ts',
  'entering-page': 'rooms.test.ts',
  transaction: 'transaction.test.ts',
  redis: 'redis.test.ts',
  sentinel: 'redis.test.ts',
  debug: 'example.test.ts',
  'event-source': 'event-source.test.ts',
  curl: 'event-source.test.ts',
  'typed-messages': '../client/compiles-alone.test.ts',
}

const PACKAGE = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  readonly name: string
  readonly version: string
  readonly scripts: Readonly<Record<string, string>>
  readonly peerDependencies: Readonly<Record<string, string>>
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional: boolean }>>
  readonly engines: { readonly node: string }
}

/** The tables of both, without the spaces that align them. */
const TABLES = `${README}\n${REFERENCE}`.replaceAll(/ +/g, ' ')

describe('README.md', () => {
  test('is not longer than a page that one reads', () => {
    expect(README.trimEnd().split('\n').length).toBeLessThanOrEqual(270)
  })

  test.each([...BLOCKS, ...REFERENCE_BLOCKS, ...PROVIDER_BLOCKS])(
    'the block $language $name is run by a test',
    ({ name }) => {
      const file = RUN_BY[name]
      expect(file).toBeDefined()
      expect(readFileSync(new URL(file!, import.meta.url), 'utf8')).toMatch(
        new RegExp(`block\\('${name}'\\)|\`\`\`\\w+ ${name}\\\\n`),
      )
    },
  )

  test('opens and closes each of its blocks', () => {
    expect(README.match(/^```/gm)).toHaveLength(2 * BLOCKS.length)
  })

  test('names files that are there, and scripts that exist', () => {
    const links = [...README.matchAll(/\]\(([^)#:]+)\)/g)].map(([, path]) => path!)
    expect(links.length).toBeGreaterThan(0)
    expect(links.filter((path) => !existsSync(join(ROOT, path)))).toEqual([])
    const scripts = [...README.matchAll(/npm run ([\w:-]+)/g)].map(([, script]) => script!)
    expect(scripts.filter((script) => !Object.hasOwn(PACKAGE.scripts, script))).toEqual([])
  })

  test('gives a newcomer two commands: what they start and test is there', () => {
    expect(block('newcomer')).toBe('npm install && npm start\nnpm install && npm test\n')
    expect(PACKAGE.scripts.test).toContain('npm run --silent jest')
    const [, server] = /node dist\/(samples\/chat\/server)\.js$/.exec(PACKAGE.scripts.start!)!
    expect(existsSync(join(ROOT, `${server}.ts`))).toBe(true)
  })

  test('installs what npm pack makes, and the peer', () => {
    const isOptional = (name: string): boolean => PACKAGE.peerDependenciesMeta[name]?.optional === true
    const packages = Object.keys(PACKAGE.peerDependencies)
      .filter((name) => !isOptional(name))
      .join(' ')
    const packed = `${PACKAGE.name}-${PACKAGE.version}.tgz`
    expect(block('install')).toBe(`npm install ${packages} ./${packed}\n`)
    expect(PACKAGE.engines.node).toBe('>=20.19')
    expect(README).toContain('Node 20.19 or newer')
  })

  test('draws the two timeouts as they are', () => {
    const { connectionTimeoutSeconds, connectionIdleSeconds } = DEFAULTS
    const removed = leaseSeconds(connectionIdleSeconds) + SWEEP_PERIOD_SECONDS
    const drawn = block('timeline').match(/\d+ s/g)
    expect(drawn).toEqual([connectionTimeoutSeconds, connectionIdleSeconds, removed].map((s) => `${s} s`))
  })

  test('lists every error with its status, once, here or in lib', () => {
    const source = readFileSync(join(ROOT, 'lib/comet-exception.ts'), 'utf8')
    const codes = [...source.matchAll(/^ {2}(COMET_\w+): \d+,$/gm)].map(([, code]) => code as CometErrorCode)
    const listed = [...TABLES.matchAll(/^\| `(COMET_\w+)` \| (\d+) \|/gm)].map(([, code, status]) => [
      code,
      status,
    ])
    expect(listed.sort()).toEqual(
      codes.map((code) => [code, String(new CometException(code, '').status)]).sort(),
    )
  })

  test('names the codes that begin in the page', () => {
    const source = readFileSync(join(ROOT, 'client/comet-error.ts'), 'utf8')
    const codes = [...source.matchAll(/^ \* - `(COMET_\w+)`:/gm)].map(([, code]) => code!)
    expect(codes.length).toBeGreaterThan(5)
    expect(codes.filter((code) => !README.includes(`\`${code}\``))).toEqual([])
  })

  test('lists every limit with its default', () => {
    const limits = Object.entries(DEFAULTS).filter(([name]) => name.startsWith('max'))
    expect(limits.length).toBeGreaterThan(5)
    for (const [name, value] of [...limits, ['providerTimeoutSeconds', DEFAULTS.providerTimeoutSeconds]]) {
      expect(README).toContain(`\`${name}\` (${Number(value).toLocaleString('en')}`)
    }
    const { seconds, messages, bytes } = DEFAULTS.retention
    const written = [seconds, messages, bytes].map((value) => value.toLocaleString('en').replaceAll(',', '_'))
    expect(README).toContain(`\`{ seconds: ${written[0]}, messages: ${written[1]}, bytes: ${written[2]} }\``)
  })
})
