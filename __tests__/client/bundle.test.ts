import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, test } from '@jest/globals'
import { stop } from 'esbuild'
// @ts-expect-error: a build script, in plain JavaScript
import { BUNDLES, bundle } from '../../client/bundle.js'
import { ScriptedServer } from './scripted-server.ts'

const run = promisify(execFile)

afterAll(() => stop())

const NAMES = Object.keys(BUNDLES)

describe('the served file', () => {
  test.each(NAMES)('%s is at most 7.9 kB gzipped', async (name) => {
    expect(gzipSync(await bundle(name)).byteLength).toBeLessThanOrEqual(7900)
  })

  test('for a plain script tag sets CometChannel, and AspNetComet, which is the same', async () => {
    const code = await bundle('client.global.js')
    const { stdout } = await run(process.execPath, [
      '-e',
      `${code};console.log(typeof CometChannel, CometChannel === AspNetComet, Object.keys(globalThis).length >= 0)`,
    ])
    expect(stdout.trim()).toBe('function true true')
  })

  test('keeps no process alive once it has unsubscribed', async () => {
    const server = await ScriptedServer.open()
    const code = `${await bundle('client.js')}
      const channel = new CometChannel('${server.url}')
      channel.on('News', () => channel.unsubscribe())
      channel.subscribe()`.replace(/export\{([\w$]+) as CometChannel[^}]*\};?/, 'const CometChannel=$1;')
    const ended = run(process.execPath, ['--input-type=module', '-e', code], { timeout: 15_000 })
    try {
      ;(await server.next()).registered()
      const stream = await server.next()
      stream.stream()
      stream.push('e1', { mid: 11, n: 'News', c: 1 })
      await ended
    } finally {
      await server.close()
    }
  })
})
