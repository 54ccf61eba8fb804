import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from '@jest/globals'

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

test('the client compiles where there are neither the types of Node nor those of Koa', async () => {
  expect(await compile('client/index.ts', 'client/global.ts')).toBe('')
}, 60_000)

test('and that would not go unnoticed', async () => {
  const folder = await mkdtemp(join(root, '__tests__/client/probe-'))
  try {
    const file = join(folder, 'probe.ts')
    await writeFile(file, "import '../../../client/index.ts'\nexport const home = process.env.HOME\n")
    expect(await compile(file)).toMatch(/probe\.ts.*Cannot find name 'process'/)
  } finally {
    await rm(folder, { recursive: true })
  }
}, 60_000)
