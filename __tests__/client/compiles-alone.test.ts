import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, test } from '@jest/globals'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
const FLAGS =
  '--noEmit --ignoreConfig --strict --target ES2023 --lib ES2023,DOM,DOM.Iterable,DOM.AsyncIterable --module NodeNext --moduleResolution NodeNext --allowImportingTsExtensions --erasableSyntaxOnly --verbatimModuleSyntax --exactOptionalPropertyTypes --noUncheckedIndexedAccess --types'.split(
    ' ',
  )

async function compile(...files: string[]): Promise<string> {
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  return run(process.execPath, [tsc, ...FLAGS, '', ...files], { cwd: root }).then(
    ({ stdout }) => stdout,
    ({ stdout }: { stdout: string }) => stdout,
  )
}

/** What the compiler says of a module beside these tests. */
async function compileText(text: string): Promise<string> {
  const folder = await mkdtemp(join(root, '__tests__/client/probe-'))
  try {
    const file = join(folder, 'probe.ts')
    await writeFile(file, text.replace("'koa-comet/client'", "'../../../client/index.ts'"))
    return await compile(file)
  } finally {
    await rm(folder, { recursive: true })
  }
}

test('the client compiles where there are neither the types of Node nor those of Koa', async () => {
  expect(await compile('client/index.ts', 'client/global.ts')).toBe('')
}, 60_000)

test('and that would not go unnoticed', async () => {
  const output = await compileText("import 'koa-comet/client'\nexport const home = process.env.HOME\n")
  expect(output).toMatch(/probe\.ts.*Cannot find name 'process'/)
}, 60_000)

describe('the typed messages of lib/README.md', () => {
  async function example(): Promise<string> {
    const text = await readFile(join(root, 'lib/README.md'), 'utf8')
    return /^```ts typed-messages\n([\s\S]*?)^```$/m.exec(text)![1]!
  }

  test('compile', async () => {
    expect(await compileText(await example())).toBe('')
  }, 60_000)

  test.each([
    ['a name', "on('Time'", "on('Tim'", /Argument of type '"Tim"' is not assignable/],
    [
      'a method of contents',
      'time.slice',
      'time.getHours',
      /Property 'getHours' does not exist on type 'string'/,
    ],
  ])(
    'do not compile with %s that is none of theirs',
    async (_what, part, by, error) => {
      const text = await example()
      expect(text).toContain(part)
      expect(await compileText(text.replace(part, by))).toMatch(error)
    },
    60_000,
  )
})
