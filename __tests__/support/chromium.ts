import { existsSync } from 'node:fs'
import { test } from '@jest/globals'
import { type Browser, chromium } from 'playwright-core'

const CHROMIUM_PATH = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'

const ARGUMENTS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** The system's Chromium. Its profile is fresh, in the temporary folder, and removed by `close()`. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM_PATH, args: ARGUMENTS })
}

/**
 * `test`, if there is a Chromium. Else the test is skipped, and says how to get one; with CI=true it fails, so that
 * nobody takes a run without a browser for a good one.
 */
export const testInChromium: (name: string, run: () => Promise<void>, timeoutMs?: number) => void =
  existsSync(CHROMIUM_PATH) ? test : testWithout

function testWithout(name: string): void {
  const remedy = `no Chromium at ${CHROMIUM_PATH}: apt-get install chromium, or set CHROMIUM_PATH`
  if (process.env.CI !== 'true') return test.skip(`${name} (${remedy})`, () => {})
  test(name, () => {
    throw new Error(remedy)
  })
}
