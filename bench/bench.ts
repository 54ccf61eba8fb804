import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/**
 * Runs the benchmarks, or those that are named, one after another. Ends with 1 if one of them has a broken bound. With
 * `--write` their figures go into README.md, too.
 */

const BENCHMARKS = [
  'polls',
  'streams',
  'bursts',
  'memory',
  'storm',
  'growth',
  'held-polls',
  'sqlite-commits',
  'redis-receiver',
]

const WRITE = '--write'

const given = process.argv.slice(2)
const named = given.filter((argument) => argument !== WRITE)
const names = named.length > 0 ? named : BENCHMARKS
const unknown = names.filter((name) => !BENCHMARKS.includes(name))
if (unknown.length > 0) {
  console.error(
    `There is no ${unknown.join(', ')}. The benchmarks are: ${BENCHMARKS.join(', ')}. ${WRITE} writes their figures into README.md.`,
  )
  process.exit(2)
}

for (const name of names) {
  const program = fileURLToPath(new URL(`./${name}.js`, import.meta.url))
  const options = given.includes(WRITE) ? [WRITE] : []
  const { status } = spawnSync(process.execPath, [program, ...options], { stdio: 'inherit' })
  if (status !== 0) process.exitCode = 1
}
