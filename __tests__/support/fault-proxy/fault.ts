/** What befalls one request, or its answer, between a page and its server. */
export type Fault =
  /** The connection is reset, and the server never hears of the request. */
  | { readonly kind: 'refuse' }
  /** The server hears of the request so much later. */
  | { readonly kind: 'late request'; readonly ms: number }
  /** Each piece of the answer arrives so much later. */
  | { readonly kind: 'late answer'; readonly ms: number }
  /** The server has dealt with the request, and nothing of its answer arrives. */
  | { readonly kind: 'drop'; readonly by: Cut }
  /** So many bytes of the answer arrive, its head among them, and then the connection is cut. */
  | { readonly kind: 'cut'; readonly afterBytes: number; readonly by: Cut }
  /** So many bytes of the answer arrive, and then nothing, ever. Neither end is told of what the other does. */
  | { readonly kind: 'half-open'; readonly afterBytes: number }
  /** The answer arrives in lots of at least so many bytes, and the rest at its end. */
  | { readonly kind: 'buffer'; readonly bytes: number }
  /** The first bytes of the answer arrive in so many pieces of that size, then the rest as it comes. */
  | { readonly kind: 'slice'; readonly bytes: number; readonly pieces: number }
  /** The request is sent to the server once more after this time, unless it was answered; one answer arrives. */
  | { readonly kind: 'duplicate'; readonly afterMs: number; readonly answer: 'first' | 'second' }

/** How a connection is cut: by an end that comes too early, or by a reset. */
export type Cut = 'end' | 'reset'

export type FaultKind = Fault['kind']

export const FAULT_KINDS = [
  'refuse',
  'late request',
  'late answer',
  'drop',
  'cut',
  'half-open',
  'buffer',
  'slice',
  'duplicate',
] as const satisfies readonly FaultKind[]
