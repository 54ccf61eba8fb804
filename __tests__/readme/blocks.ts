import { readFileSync } from 'node:fs'

/** The README's lines. */
export const README = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')

export interface Block {
  readonly language: string
  /** What follows the language, by which tests find it. */
  readonly name: string
  readonly code: string
}

/** The reference that it leads to. */
export const REFERENCE = readFileSync(new URL('../../lib/README.md', import.meta.url), 'utf8')

const OF_PROVIDERS = ['redis', 'sqlite'].map((folder) =>
  readFileSync(new URL(`../../providers/${folder}/README.md`, import.meta.url), 'utf8'),
)

/** Every fenced block of the README. */
export const BLOCKS = blocksOf(README)

/** Every fenced block of the reference. */
export const REFERENCE_BLOCKS = blocksOf(REFERENCE)

/** Those with a name of the providers' pages: the others are too short to go wrong. */
export const PROVIDER_BLOCKS = OF_PROVIDERS.flatMap(blocksOf).filter(({ name }) => name !== '')

function blocksOf(text: string): readonly Block[] {
  return [...text.matchAll(/^```(\S*) *(.*)\n([\s\S]*?)^```$/gm)].map(([, language, name, code]) => ({
    language: language!,
    name: name!,
    code: code!,
  }))
}

/** The code of one block, of any of these pages. */
export function block(name: string): string {
  const found = [...BLOCKS, ...REFERENCE_BLOCKS, ...PROVIDER_BLOCKS].filter((each) => each.name === name)
  if (found.length !== 1) throw new Error(`There are ${found.length} blocks named '${name}', not one.`)
  return found[0]!.code
}

/** Replaces what a test cannot have as it is, such as a port, and throws if it is not there. */
export function replaced(code: string, part: string, by: string): string {
  if (!code.includes(part)) throw new Error(`The block has no '${part}' to replace.`)
  return code.replace(part, () => by)
}
