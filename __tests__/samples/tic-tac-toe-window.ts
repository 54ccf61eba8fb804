import type { Page } from 'playwright-core'

/** A window of the game, as the person in front of it sees it. */
export class GameWindow {
  readonly page: Page
  /** What the page has complained about in the console so far. */
  readonly complaints: string[] = []

  private constructor(page: Page) {
    this.page = page
    // Below that of the test, so that a failure names what was waited for.
    page.setDefaultTimeout(15_000)
    page.on('console', (message) => this.complaints.push(message.text()))
    page.on('pageerror', (error) => this.complaints.push(String(error)))
  }

  /** Opens it and waits until it shows a game. */
  static async open(page: Page, address: string): Promise<GameWindow> {
    const window = new GameWindow(page)
    await page.goto(address)
    await window.says(/./)
    await window.state('Connected')
    return window
  }

  /** Clicks a square, whether it can be taken or not. */
  async click(square: number): Promise<void> {
    // Playwright waits for what is `aria-disabled` in vain.
    await this.page.locator('#board button').nth(square).click({ force: true })
  }

  /** Takes each square in turn with another window, and waits until all see it; this one first. */
  async playAgainst(other: GameWindow, squares: readonly number[], watchers: readonly GameWindow[] = []) {
    let [mover, waiter]: [GameWindow, GameWindow] = [this, other]
    for (const square of squares) {
      await mover.mayMove()
      const mark = await mover.mark()
      await mover.click(square)
      for (const window of [mover, waiter, ...watchers]) await window.shows(square, mark)
      ;[mover, waiter] = [waiter, mover]
    }
  }

  mayMove(): Promise<void> {
    return this.says(/^Your turn/)
  }

  /** X or O. Only in its turn. */
  async mark(): Promise<string> {
    return (await this.page.locator('#news').textContent())!.slice(-2, -1)
  }

  /** Waits until the square has that mark, as the server says. */
  async shows(square: number, mark: string): Promise<void> {
    const { row, column } = { row: Math.floor(square / 3) + 1, column: (square % 3) + 1 }
    await this.page
      .getByRole('button', { name: `row ${row}, column ${column}: ${mark}`, exact: true })
      .waitFor()
  }

  /** Waits until the line above the board says that. */
  async says(text: string | RegExp): Promise<void> {
    await this.page.locator('#news', { hasText: text }).waitFor()
  }

  async state(text: string): Promise<void> {
    await this.page.locator('#status').getByText(text).waitFor()
  }

  /** Waits until so many people are there, and returns their names. */
  async people(count: number): Promise<string[]> {
    const items = this.page.locator('#people li')
    await this.page.waitForFunction(
      (expected) => document.querySelectorAll('#people li').length === expected,
      count,
    )
    return items.allTextContents()
  }

  /** The marks on the board, `-` for a free square. */
  async board(): Promise<string> {
    const texts = await this.page.locator('#board button').allTextContents()
    return texts.map((text) => text || '-').join('')
  }

  async note(): Promise<string> {
    return (await this.page.locator('#note').textContent())!
  }

  async playAgain(): Promise<void> {
    await this.page.getByRole('button', { name: 'Play again' }).click()
  }
}
