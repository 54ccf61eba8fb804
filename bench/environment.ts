import { existsSync, readFileSync } from 'node:fs'
import { cpus, release, type as system } from 'node:os'

/** Of the repository, from the folder that is built. */
const ROOT = new URL('../../', import.meta.url)

/** What a benchmark ran on, and the versions of these packages of the repository. */
export function environment(...packages: readonly string[]): string[] {
  return [
    `node ${process.versions.node}`,
    `${distribution() ?? system()} (${system()} ${shortRelease(release())})`,
    // The cores that are there, not those that this process was left with.
    `${cpus().length} cores of ${cpus()[0]?.model.trim() ?? process.arch}`,
    `koa-comet ${versionIn(new URL('package.json', ROOT))}`,
    ...packages.map((name) => `${name} ${versionIn(new URL(`node_modules/${name}/package.json`, ROOT))}`),
  ]
}

/** `6.1.0-18-amd64` is 6.1. */
export function shortRelease(text: string): string {
  return /^\d+\.\d+/.exec(text)?.[0] ?? text
}

/** As Linux distributions tell it. */
function distribution(): string | undefined {
  const file = '/etc/os-release'
  return existsSync(file) ? /^PRETTY_NAME="?(.*?)"?$/m.exec(readFileSync(file, 'utf8'))?.[1] : undefined
}

function versionIn(manifest: URL): string {
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version
}
