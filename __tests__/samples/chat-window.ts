import type { Locator, Page } from 'playwright-core'

/** A window of the chat, as the person in front of it sees it. */
export class ChatWindow {
  readonly page: Page
  /** What the page has complained about in the console so far. */
  readonly complaints: string[] = []

  constructor(page: Page) {
    this.page = page
    // Below that of the test, so that a failure names what was waited for.
    page.setDefaultTimeout(15_000)
    page.on('console', (message) => {
      if (message.type() !== 'log') this.complaints.push(message.text())
    })
    page.on('pageerror', (error) => this.complaints.push(String(error)))
  }

  /** @param address of the chat, or of a room in it */
  static async open(page: Page, address: string): Promise<ChatWindow> {
    const window = new ChatWindow(page)
    await page.goto(address)
    return window
  }

  /** The same, and already in the room. */
  static async enter(page: Page, address: string, name: string): Promise<ChatWindow> {
    const window = await ChatWindow.open(page, address)
    await window.logIn(name)
    await window.connected()
    await page.locator('.person.own').waitFor()
    return window
  }

  /** The tab that the browser's "Duplicate" makes: it begins with a copy of this one's sessionStorage. */
  async duplicate(): Promise<ChatWindow> {
    const opened = this.page.waitForEvent('popup')
    await this.page.evaluate(() => void window.open(location.href))
    return new ChatWindow(await opened)
  }

  async logIn(name: string): Promise<void> {
    await this.page.getByLabel('Your name').fill(name)
    await this.page.getByRole('button', { name: 'Join the chat' }).click()
  }

  async say(text: string): Promise<void> {
    await this.page.getByRole('textbox', { name: 'Message' }).fill(text)
    await this.page.getByRole('button', { name: 'Send', exact: true }).click()
  }

  /** Waits until the window shows a message of this text. */
  async shows(text: string): Promise<void> {
    await this.page.locator('.message .text').getByText(text, { exact: true }).first().waitFor()
  }

  /** Waits until what is written is refused for this reason. */
  async isRefused(reason: string): Promise<void> {
    await this.page.locator('#refusal').getByText(reason).waitFor()
  }

  /** What was written, and is not known to be sent. */
  waiting(): Locator {
    return this.page.getByRole('list', { name: 'Not sent yet' }).getByRole('listitem')
  }

  async showsLogin(error: string): Promise<void> {
    await this.page.locator('#login-error').getByText(error).waitFor()
  }

  async showsNote(text: string): Promise<void> {
    await this.page.locator('.note').getByText(text).waitFor()
  }

  async state(text: string): Promise<void> {
    await this.page.locator('#status').getByText(text).waitFor()
  }

  /** Waits until it is connected, and nothing speaks against that. */
  connected(): Promise<void> {
    return this.page.locator('#status').getByText('Connected', { exact: true }).waitFor()
  }

  /** Waits until these people, and no others, are there. */
  async peopleAre(...names: string[]): Promise<void> {
    await this.page.waitForFunction((expected) => {
      const shown = [...document.querySelectorAll('.person .name')].map(({ textContent }) => textContent)
      return JSON.stringify(shown) === JSON.stringify(expected)
    }, names)
  }

  /** All messages, from the first to the last. */
  texts(): Promise<string[]> {
    return this.page.locator('.message .text').allTextContents()
  }

  /** What it has been told that nobody said: of a reset, for one. */
  notes(): Promise<string[]> {
    return this.page.locator('.note').allTextContents()
  }
}
