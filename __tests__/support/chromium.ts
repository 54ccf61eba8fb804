import { existsSync } from 'node:fs'
import { test } from '@jest/globals'
import { type Browser, chromium, type LaunchOptions } from 'playwright-core'

const CHROMIUM_PATH = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'

/**
 * The first two are two processes for each window, of what the address bar shows below it: nobody sees it here. Of two
 * such lists Chromium takes the last, so the others are those of playwright's own.
 */
const DISABLED_FEATURES = [
  'WebUIOmniboxPopup',
  'WebUIOmniboxAimPopup',
  'AimEnabled',
  'AvoidCorsURLLoaderRestartOnRedirect',
  'AvoidUnnecessaryBeforeUnloadCheckSync',
  'DestroyProfileOnBrowserClose',
  'HttpsFirstBalancedModeAutoEnable',
  'HttpsUpgrades',
  'LensOverlay',
  'MediaRouter',
  'NetworkTimeServiceQuerying',
  'OptimizationHints',
  'PaintHolding',
  'PreconnectToSearch',
  'ThirdPartyStoragePartitioning',
]

const ARGUMENTS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  `--disable-features=${DISABLED_FEATURES}`,
]

const isThere = existsSync(CHROMIUM_PATH)
const remedy = `No Chromium at ${CHROMIUM_PATH}: apt-get install chromium, or set CHROMIUM_PATH.`

if (!isThere) console.warn(remedy)

/**
 * The system's Chromium. Its profile is fresh, in the temporary folder, and removed by `close()`.
 * @param options more arguments, and which of playwright's own are left out
 */
export async function launchChromium({
  args = [],
  ignoreDefaultArgs = [],
}: Pick<LaunchOptions, 'args' | 'ignoreDefaultArgs'> = {}): Promise<Browser> {
  if (!isThere) throw new Error(remedy)
  return chromium.launch({ executablePath: CHROMIUM_PATH, args: [...ARGUMENTS, ...args], ignoreDefaultArgs })
}

/**
 * `test`, if there is a Chromium. Else the test is skipped, and the warning says how to get one; with CI=true it fails,
 * so that nobody takes a run without a browser for a good one.
 */
export const testInChromium: (name: string, run: () => Promise<void>, timeoutMs?: number) => void =
  isThere || process.env.CI === 'true' ? test : test.skip
