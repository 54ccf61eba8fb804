import type { Stored } from './numbered.ts'

/** What somebody outside was told, and so has to survive a power cut from then on. In the log of writes, in order. */
export type Mark =
  /** Pages are told where the log is. */
  | { readonly opened: { readonly epoch: string; readonly head: number } }
  /** Pages may have these. */
  | { readonly fed: readonly Stored[] }
  | { readonly acknowledged: readonly Stored[] }
  /** By the hash of its private token: a client was made. */
  | { readonly initialised: string }
  /** It was asked to stop a client; it did. */
  | { readonly stopping: string }
  | { readonly stopped: string }
  | { readonly closed: true }
  | { readonly opening: true }

/** How a mark's file is called beside the database's. */
export const MARK_SUFFIX = '.mark'

export const RETAINED_MESSAGES = 60

export const RETENTION = { seconds: 86_400, messages: RETAINED_MESSAGES, bytes: 2 ** 30 }
