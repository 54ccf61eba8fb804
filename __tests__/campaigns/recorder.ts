import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { ROOT } from './campaign-child.ts'

/** Why power cuts cannot be simulated on this machine, and how they could; undefined if they can. */
export function whyNoRecorder(): string | undefined {
  if (process.platform !== 'linux') return 'power cuts are simulated on Linux only'
  const { error } = spawnSync('gcc', ['--version'])
  return error && 'simulating power cuts needs gcc and glibc: apt-get install gcc libc6-dev'
}

/** Compiles the recorder into the folder. Returns the library's path, for `LD_PRELOAD`. */
export function compileRecorder(folder: string): string {
  const source = join(ROOT, '__tests__/campaigns/record-writes.c')
  const library = join(folder, 'record-writes.so')
  const { status, stderr } = spawnSync(
    'gcc',
    ['-O2', '-Wall', '-shared', '-fPIC', '-o', library, source, '-ldl', '-lpthread'],
    { encoding: 'utf8' },
  )
  if (status !== 0) throw new Error(`gcc cannot compile ${source}: ${stderr}`)
  return library
}
