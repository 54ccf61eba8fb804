import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of this package. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** A folder of an app that has installed packages, outside of this one. */
export interface ConsumerFolder {
  readonly path: string
  write(file: string, text: string): Promise<void>
  remove(): Promise<void>
}

/**
 * Makes such a folder. Of the packages, `koa-comet` is this one as it was built; the others are what this one has
 * installed. Nothing is fetched.
 */
export async function consumerFolder(...packages: string[]): Promise<ConsumerFolder> {
  const path = await mkdtemp(join(tmpdir(), 'comet-consumer-'))
  for (const name of packages) await link(path, name)
  await writeFile(join(path, 'package.json'), '{ "type": "module" }')
  return {
    path,
    write: (file, text) => writeFile(join(path, file), text),
    remove: () => rm(path, { recursive: true }),
  }
}

async function link(folder: string, name: string): Promise<void> {
  const target = name === 'koa-comet' ? builtPackage() : join(ROOT, 'node_modules', name)
  const place = join(folder, 'node_modules', name)
  await mkdir(dirname(place), { recursive: true })
  await symlink(target, place)
}

function builtPackage(): string {
  const built = ['dist/lib/index.js', 'dist/client/client.js'].map((file) => join(ROOT, file))
  if (built.every((file) => existsSync(file))) return ROOT
  throw new Error('This test takes the built package: npm run build.')
}
