/** What this page has seen: everything up to and including `messageId` of the log's life `epoch`. */
export interface Cursor {
  readonly epoch: string
  readonly messageId: number
}

/** Reads `<epoch>:<messageId>`; anything else is undefined. */
export function parseCursor(text: string | null | undefined): Cursor | undefined {
  const match = /^([\w-]+):(\d+)$/.exec(text ?? '')
  return match ? { epoch: match[1]!, messageId: Number(match[2]) } : undefined
}
