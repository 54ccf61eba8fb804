/** What the server sends, to all pages. */
export interface Messages {
  Line: Line
}

export interface Line extends NumberedLine {
  /** The page that sent it. */
  readonly by: string
  /** The node that handled it. */
  readonly node: string
}

/** What pages send. */
export interface Requests {
  /** Sends a line to all pages: once, however often it is asked for. */
  Say: { readonly contents: NumberedLine; readonly result: null }
}

export interface NumberedLine {
  /** Names the page, from its loading on. */
  readonly series: string
  /** From 1 on, one after another: who gets them sees what is missing. */
  readonly number: number
}
