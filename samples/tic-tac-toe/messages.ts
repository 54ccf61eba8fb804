/** X begins. */
export type Mark = 'X' | 'O'

export interface Player {
  readonly publicToken: string
  readonly name: string
}

export interface Outcome {
  /** Null for a draw. */
  readonly winner: Mark | null
  /** Because the other one has left. */
  readonly byLeaving: boolean
  /** The squares that won. */
  readonly line: readonly number[]
}

/** All that a page shows of a game. */
export interface GameView {
  readonly name: string
  /** From the top left, row by row. */
  readonly board: readonly (Mark | null)[]
  /** The square of the last move. */
  readonly last: number | null
  /** Whose turn it is; null while a player is missing, and when it is over. */
  readonly turn: Mark | null
  /** Null until it is over. */
  readonly outcome: Outcome | null
  /** X and then O, as far as they have come. */
  readonly players: readonly Player[]
  /** The public tokens of those who play next when it is over. One of them may begin. */
  readonly next: readonly string[]
}

/** What the server sends, to the group of a game. */
export interface Messages {
  Game: GameView
}

/** What pages send. */
export interface Requests {
  /** Takes part in this game, and in no other. What came with ids up to `asOf` is in the view. */
  Enter: {
    readonly contents: { readonly name: string }
    readonly result: { readonly asOf: number; readonly game: GameView }
  }
  Move: { readonly contents: { readonly square: number }; readonly result: null }
  /** A new game at the same place, when one is over. */
  Again: { readonly contents: undefined; readonly result: null }
}
