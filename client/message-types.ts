import type { MembershipContents, UpdateContents } from '../lib/wire.ts'

/** The notices of presence, by their names: they come as messages do. */
export interface PresenceNotices {
  'aspNetComet.join': MembershipContents
  'aspNetComet.leave': MembershipContents
  'aspNetComet.update': UpdateContents
}

/** Anything under any name, with any result. */
export type AnyRequests = Record<string, { contents: unknown; result: unknown }>

/** The arguments after the name of what is sent: contents that may be undefined may be left out. */
export type ContentsToSend<Request> = Request extends { contents?: infer Contents }
  ? undefined extends Request['contents']
    ? [contents?: Contents]
    : [contents: Contents]
  : []

/** What the server's handler gives: anything, where nobody said what. */
export type ResultOf<Request> = Request extends { result: infer Result } ? Result : unknown
