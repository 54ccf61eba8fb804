import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** Runs the benchmarks, or those that are named, one after another. Ends with 1 if one of them has a broken bound. */

const BENCHMARKS: Readonly<Record<string, readonly string[]>> = {
  'held-polls': ['--expose-gc'],
  streams: ['--expose-gc'],
  'sqlite-commits': [],
  'redis-receiver': [],
  polls: [],
}

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(BENCHMARKS)
const unknown = names.filter((name) => !Object.hasOwn(BENCHMARKS, name))
if (unknown.length > 0) {
  console.error(
    `There is no ${unknown.join(', ')}. The benchmarks are: ${Object.keys(BENCHMARKS).join(', ')}.`,
  )
  process.exit(2)
}

for (const name of names) {
  const program = fileURLToPath(new URL(`./${name}.js`, import.meta.url))
  const { status } = spawnSync(process.execPath, [...BENCHMARKS[name]!, program], { stdio: 'inherit' })
  if (status !== 0) process.exitCode = 1
}
