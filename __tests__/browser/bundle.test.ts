import { afterAll, expect } from '@jest/globals'
import { stop } from 'esbuild'
// @ts-expect-error: a build script, in plain JavaScript
import { BUNDLES, shortenedIn } from '../../client/bundle.js'
import { launchChromium, testInChromium } from '../support/chromium.ts'

afterAll(() => stop())

/** The names of all properties of what Chromium gives to pages. */
const PLATFORM_NAMES = `(() => {
  const names = new Set()
  const seen = new Set()
  const look = (object) => {
    if (seen.has(object) || object === null || !['object', 'function'].includes(typeof object)) return
    seen.add(object)
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(object))) {
      names.add(name)
      look(value)
    }
    look(Object.getPrototypeOf(object))
  }
  look(globalThis)
  return [...names]
})()`

testInChromium('no name that the served files shorten is one of the platform', async () => {
  const browser = await launchChromium()
  try {
    const names = await (await browser.newPage()).evaluate<string[]>(PLATFORM_NAMES)
    // What would break first.
    expect(names).toEqual(expect.arrayContaining(['isArray', 'onLine', 'isConnected']))
    const platform = new Set(names)
    for (const file of Object.keys(BUNDLES)) {
      const shortened: string[] = await shortenedIn(file)
      expect(shortened).toContain('isSuspect')
      expect(shortened.filter((name) => platform.has(name))).toEqual([])
    }
  } finally {
    await browser.close()
  }
})
