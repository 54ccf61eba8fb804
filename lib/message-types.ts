/** The messages of a channel: the types of their contents by their names. What really comes nothing checks. */
export type AnyMessages = Record<string, unknown>

/** What pages send to the app by one name, and what its handler gives. Without contents they are `undefined`. */
export interface RequestType {
  readonly contents?: unknown
  readonly result?: unknown
}

/** What pages send, by its names: `{ Say: { contents: { text: string }; result: number } }`. */
export type RequestTypes<Requests> = { readonly [N in keyof Requests]: RequestType }

/** Anything by any name, with any result. */
export type AnyRequests = Record<string, Required<RequestType>>

/** What a handler is given. */
export type ContentsOf<Request> = Request extends RequestType ? Request['contents'] : undefined

/** What a handler gives: anything, where nobody said what. */
export type ResultOf<Request> = Request extends { readonly result: infer Result } ? Result : unknown

/** Contents that may be undefined may be left out. */
export type ContentsAndOptions<Contents, Options> = undefined extends Contents
  ? [contents?: Contents, options?: Options]
  : [contents: Contents, options?: Options]
