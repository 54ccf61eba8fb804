// Run by `npm run bundle`, in Node: makes the two files that a channel serves to browsers.
import { mkdir, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { minify } from '@swc/core'
import { build } from 'esbuild'

/** The files, and what each is made of. */
export const BUNDLES = {
  'client.js': { entry: 'client/index.ts', format: 'esm' },
  'client.global.js': { entry: 'client/global.ts', format: 'iife' },
} as const

/** The text of one of the files. Two minifiers: after the first, the second saves another 5 % of what is gzipped. */
export async function bundle(name: keyof typeof BUNDLES, root: string): Promise<string> {
  const { entry, format } = BUNDLES[name]
  const options = { bundle: true, minify: true, target: 'es2022', write: false } as const
  const { outputFiles } = await build({ ...options, absWorkingDir: root, entryPoints: [entry], format })
  const compress = { passes: 3, ecma: 2022 } as const
  const { code } = await minify(outputFiles[0]!.text, { module: true, compress, mangle: true, ecma: 2022 })
  return code
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = new URL('./', import.meta.url)
  await mkdir(folder, { recursive: true })
  for (const name of Object.keys(BUNDLES) as (keyof typeof BUNDLES)[]) {
    await writeFile(new URL(name, folder), await bundle(name, process.cwd()))
  }
}
