import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

/** Which file imports what: paths from the root for files of ours, names for packages. Types count like values. */
export type Imports = ReadonlyMap<string, readonly string[]>

const IMPORT =
  /^(?:import|export)\b[^'"]*?\bfrom\s*['"]([^'"]+)['"]|^import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/gm

/** The specifiers of all imports and re-exports of a source text. */
export function importsIn(source: string): string[] {
  return [...source.matchAll(IMPORT)].map(([, from, bare, dynamic]) => (from ?? bare ?? dynamic)!)
}

/** All sources below the folders, by their paths from the root. */
export function sourcesIn(root: string, folders: readonly string[]): Map<string, string> {
  const files = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)),
  )
  const sources = files.filter((file) => file.endsWith('.ts') && !file.includes('node_modules'))
  return new Map(sources.map((file) => [file, readFileSync(join(root, file), 'utf8')]))
}

export function importsOf(sources: ReadonlyMap<string, string>): Imports {
  const resolve = (file: string, specifier: string): string =>
    specifier.startsWith('.') ? normalize(join(dirname(file), specifier)) : specifier
  return new Map(
    [...sources].map(([file, source]) => [file, importsIn(source).map((each) => resolve(file, each))]),
  )
}

/** Each circle of imports once, as the files along it. */
export function cyclesIn(imports: Imports): string[][] {
  const cycles: string[][] = []
  const done = new Set<string>()
  const visit = (file: string, path: readonly string[]): void => {
    const start = path.indexOf(file)
    if (start >= 0) cycles.push(path.slice(start))
    if (start >= 0 || done.has(file)) return
    for (const imported of imports.get(file) ?? []) visit(imported, [...path, file])
    done.add(file)
  }
  for (const file of imports.keys()) visit(file, [])
  return cycles
}

/** The layers of a house, lowest first; each is the files that its patterns match. */
export type Layers = readonly (readonly [name: string, ...patterns: RegExp[]])[]

/** What imports a layer above its own, or is in none. */
export function upwardImports(imports: Imports, layers: Layers): string[] {
  const levelOf = (file: string): number =>
    layers.findIndex(([, ...patterns]) => patterns.some((each) => each.test(file)))
  const violations: string[] = []
  for (const [file, imported] of imports) {
    const level = levelOf(file)
    if (level < 0) violations.push(`${file} is in no layer`)
    for (const each of imported) {
      if (imports.has(each) && levelOf(each) > level) violations.push(`${file} imports ${each}`)
    }
  }
  return violations
}

/** What imports something that is not allowed. */
export function forbiddenImports(
  imports: Imports,
  isAllowed: (imported: string, file: string) => boolean,
): string[] {
  return [...imports].flatMap(([file, imported]) =>
    imported.filter((each) => !isAllowed(each, file)).map((each) => `${file} imports ${each}`),
  )
}
