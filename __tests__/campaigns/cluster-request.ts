import type { PassedRequest } from './balancer.ts'

export const REQUEST_KINDS = [
  'stream',
  'poll',
  'send',
  'groups',
  'clients',
  'register',
  'goodbye',
  'other',
] as const

export type RequestKind = (typeof REQUEST_KINDS)[number]

export function kindOf({ url, headers }: PassedRequest): RequestKind {
  const [, subpath] = /^\/comet\/([a-z]+)/.exec(url) ?? []
  if (subpath !== undefined) return REQUEST_KINDS.find((kind) => kind === subpath) ?? 'other'
  // One that only tries whether streams get through holds nothing.
  if (headers['comet-probe']) return 'other'
  return headers.accept === 'text/event-stream' ? 'stream' : 'poll'
}

/** The private token of who asks: in a header, or in the form of a goodbye. */
export function tokenOf({ headers, body }: PassedRequest): string {
  const { authorization } = headers
  if (authorization) return authorization.replace(/^Bearer /, '')
  return new URLSearchParams(body.toString()).get('privateToken') ?? ''
}
