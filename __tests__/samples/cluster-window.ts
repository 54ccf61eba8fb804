import type { Page } from 'playwright-core'

/** A line of a page, as a window shows it. */
export interface ShownLine {
  readonly number: number
  readonly by: string
  readonly isOwn: boolean
  readonly node: string
}

/** A window of the cluster, as the person in front of it sees it. */
export class ClusterWindow {
  readonly page: Page
  /** What its scripts have thrown so far. */
  readonly errors: string[] = []

  private constructor(page: Page) {
    this.page = page
    // Below that of the test, so that a failure names what was waited for.
    page.setDefaultTimeout(20_000)
    page.on('pageerror', (error) => this.errors.push(String(error)))
  }

  /** Opens it and waits until it is connected. */
  static async open(page: Page, address: string): Promise<ClusterWindow> {
    const window = new ClusterWindow(page)
    await page.goto(address)
    await page.locator('#status').getByText('Connected').waitFor()
    return window
  }

  press(name: string): Promise<void> {
    return this.page.getByRole('button', { name, exact: true }).click()
  }

  /** Waits until it says that the node is in that state. */
  async node(name: string, state: 'Alive' | 'Dead' | 'Stopping'): Promise<void> {
    await this.page.locator(`.node[data-node="${name}"] .state`, { hasText: state }).waitFor()
  }

  /** Waits until more lines of its own have come back. */
  async moreLines(): Promise<void> {
    await this.#exceeds('#back')
  }

  /** Waits until the node has answered more of its requests. */
  async isServedBy(name: string): Promise<void> {
    await this.#exceeds(`.node[data-node="${name}"] .served`)
  }

  /** Waits until all that it has sent came back. It must not be sending any more. */
  async isAnswered(): Promise<void> {
    await this.page.waitForFunction(
      () => document.querySelector('#sent')?.textContent === document.querySelector('#back')?.textContent,
    )
  }

  async figure(id: string): Promise<number> {
    return Number(await this.page.locator(`#${id}`).textContent())
  }

  /** Those of its figures that tell of something bad. */
  async troubles(): Promise<Record<string, number>> {
    const [lost, twice, resets] = await Promise.all(['lost', 'twice', 'resets'].map((id) => this.figure(id)))
    return { lost: lost!, twice: twice!, resets: resets! }
  }

  /** All lines that came, oldest first. */
  lines(): Promise<ShownLine[]> {
    return this.page.locator('#lines li').evaluateAll((items) =>
      items.reverse().map((item) => {
        const text = item.querySelector('.text')!.textContent!
        const [, number, by, own] = /^Line (\d+) of (Page \d+)( \(this page\))?$/.exec(text)!
        return { number: Number(number), by: by!, isOwn: own !== undefined, node: item.dataset.node! }
      }),
    ) as Promise<ShownLine[]>
  }

  /** The node that has its stream, once there is one. */
  async streamNode(): Promise<string> {
    const card = this.page.locator('.node', { hasText: 'has this page’s stream' })
    return (await card.getAttribute('data-node'))!
  }

  /** How many streams it has had. */
  streams(): Promise<number> {
    return this.page.locator('#requests').getByText('GET /comet: stream').count()
  }

  /** What others call this page. */
  async name(): Promise<string> {
    const item = this.page.locator('#pages li', { hasText: '(this page)' })
    return (await item.textContent())!.replace(' (this page)', '')
  }

  /** Waits until it says that another page, of this name, is there. */
  async seesPage(name: string): Promise<void> {
    await this.page.locator('#pages').getByText(name, { exact: true }).waitFor()
  }

  /** Waits until the number that the element begins with has grown. */
  async #exceeds(selector: string): Promise<void> {
    const before = await this.page.locator(selector).textContent()
    await this.page.waitForFunction(
      ([shown, least]) => Number.parseInt(document.querySelector(shown)!.textContent!, 10) > least,
      [selector, Number.parseInt(before!, 10)] as const,
    )
  }
}
