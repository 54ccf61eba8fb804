import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { Context } from 'koa'
import type { Endpoint } from './guarded.ts'

const require = createRequire(import.meta.url)

/** A bundled browser client of this package, as its `exports` name it. */
export type ClientScript = 'client.js' | 'client.global.js'

interface LoadedScript {
  readonly body: Buffer
  readonly etag: string
}

/** `GET …/client.js`: the browser client in one file, revalidated by its ETag. */
export class ClientScriptEndpoint implements Endpoint {
  readonly methods = ['GET', 'HEAD']
  readonly isPublic = true
  readonly #script: ClientScript
  #loaded: Promise<LoadedScript> | undefined

  constructor(script: ClientScript) {
    this.#script = script
  }

  async handle(ctx: Context): Promise<void> {
    const { body, etag } = await this.#load()
    ctx.status = 200
    ctx.type = 'text/javascript'
    ctx.set({ 'Cache-Control': 'no-cache', 'X-Content-Type-Options': 'nosniff' })
    // A module of another origin needs this. The script is the same for all, and no secret.
    if (!ctx.response.get('Access-Control-Allow-Origin')) ctx.set('Access-Control-Allow-Origin', '*')
    ctx.etag = etag
    if (ctx.fresh) ctx.status = 304
    else ctx.body = body
  }

  /** Reads it once. A failure is not remembered. */
  #load(): Promise<LoadedScript> {
    this.#loaded ??= readScript(this.#script).catch((error: unknown) => {
      this.#loaded = undefined
      throw error
    })
    return this.#loaded
  }
}

async function readScript(script: ClientScript): Promise<LoadedScript> {
  const body = await readFile(require.resolve(`koa-comet/${script}`))
  return { body, etag: createHash('sha256').update(body).digest('base64url') }
}
