import type { CometClient } from './comet-client.ts'

/** What a request of a client is about to do: what the option `authorize` is asked about. */
export type CometAction =
  | { readonly kind: 'subscribe'; readonly client: CometClient }
  /** To send the app something by this name. */
  | { readonly kind: 'send'; readonly client: CometClient; readonly name: string }
  | { readonly kind: 'join' | 'leave'; readonly client: CometClient; readonly group: string }
  /** To list the members of the group; without one, all clients. */
  | { readonly kind: 'clients'; readonly client: CometClient; readonly group: string | undefined }
