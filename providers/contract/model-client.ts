/** Who has, or had, a public token. */
export interface Bearer {
  readonly generation: number
  readonly privateTokenHash: string
}

/** A client as the model knows it. Never changed, only replaced, so that models can share it. */
export interface ModelClient extends Bearer {
  readonly publicToken: string
  readonly holder: string | undefined
  readonly acknowledgedId: number | undefined
  readonly expiresAtSeconds: number
  readonly goodbye: boolean
}
