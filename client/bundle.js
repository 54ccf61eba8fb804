// Run by `npm run bundle`: makes the two files that a channel serves to browsers, in dist/client.
import { mkdir, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { minify } from '@swc/core'
import { build } from 'esbuild'

/** The files, and what each is made of. */
export const BUNDLES = {
  'client.js': { entry: 'index.ts', format: 'esm' },
  'client.global.js': { entry: 'global.ts', format: 'iife' },
}

const here = fileURLToPath(new URL('.', import.meta.url))

/** Names of properties that nobody but the client knows: they are shortened, too. A test knows those of Chromium. */
const OWN_NAMES = {
  mangleProps:
    /^(is|on)[A-Z]|Ms$|^(takesOver|renewsToken|dealtWith|earlyCuts|holdSeconds|urlOf|deliver|identity|listeners|forget|note|http|keep|emit|ask|change|upstream|askInTurn|askBeside|hurry|reopen|principal|clientNumber|field|subpath|unjoined|joinsAtOnce)$/,
  // The platform's.
  reserveProps: /^(isArray|onLine)$/,
}

/** The text of one of the files. Two minifiers: after the first, the second saves another 5 % of what is gzipped. */
export async function bundle(name) {
  const { outputFiles } = await buildOnce(name)
  const compress = {
    passes: 3,
    ecma: 2022,
    hoist_funs: true,
    module: true,
    unsafe_arrows: true,
    unsafe_methods: true,
  }
  const { code } = await minify(outputFiles[0].text, { module: true, compress, mangle: true, ecma: 2022 })
  return code
}

/** The names that are shortened in one of the files. */
export async function shortenedIn(name) {
  const { mangleCache } = await buildOnce(name)
  return Object.keys(mangleCache).filter((each) => mangleCache[each] !== false)
}

function buildOnce(name) {
  const { entry, format } = BUNDLES[name]
  const options = {
    bundle: true,
    minify: true,
    target: 'es2022',
    write: false,
    mangleCache: {},
    ...OWN_NAMES,
  }
  return build({ ...options, absWorkingDir: here, entryPoints: [entry], format })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = new URL('../dist/client/', import.meta.url)
  await mkdir(folder, { recursive: true })
  for (const name of Object.keys(BUNDLES)) await writeFile(new URL(name, folder), await bundle(name))
}
