import type { Browser, BrowserContextOptions, Page } from 'playwright-core'

/**
 * Pages of browsers that share nothing. They are emptied after each test and used again, since to open one takes longer
 * than most tests. A sample that listens at a port of its own finds nothing of another there.
 */
export class KeptPages {
  readonly #browser: Browser
  readonly #free: Page[] = []
  readonly #used: Page[] = []

  constructor(browser: Browser) {
    this.#browser = browser
  }

  /** An empty page. To its context and its window the test does nothing. */
  async open(): Promise<Page> {
    const page = this.#free.pop() ?? (await this.openNew())
    this.#used.push(page)
    return page
  }

  /** A page to do anything to: it is not kept. */
  async openNew(options?: BrowserContextOptions): Promise<Page> {
    return (await this.#browser.newContext(options)).newPage()
  }

  /** For `afterEach`: empties those that are kept, and closes all others. */
  async leave(): Promise<void> {
    for (const page of this.#used.splice(0)) {
      page.removeAllListeners()
      try {
        await page.evaluate(() => {
          sessionStorage.clear()
          localStorage.clear()
        })
        await page.goto('about:blank')
        await page.context().clearCookies()
        this.#free.push(page)
      } catch {
        // It is closed, or shows that its server is gone.
      }
    }
    const kept = this.#free.map((page) => page.context())
    for (const context of this.#browser.contexts()) if (!kept.includes(context)) await context.close()
  }
}
