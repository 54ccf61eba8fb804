/** Who has, or had, a public token. */
export interface Bearer {
  readonly generation: number
  readonly privateTokenHash: string
}

/** A client as the model knows it. */
export interface ModelClient extends Bearer {
  readonly publicToken: string
  holder: string | undefined
  acknowledgedId: number | undefined
  expiresAtSeconds: number
  goodbye: boolean
}
