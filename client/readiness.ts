import { CometError } from './comet-error.ts'
import { endsClient, type Http } from './http.ts'
import type { Identity } from './identity.ts'
import { askOnce, groupsRequest } from './page-requests.ts'
import type { Upstream } from './upstream.ts'

/** What makes a page ready. */
export interface ReadinessParts {
  readonly http: Http
  readonly identity: Identity
  /** Goes on when the page is ready. */
  readonly upstream: Upstream
  /** Told why a group refuses. */
  onRefused(error: CometError): void
}

/**
 * Has the page come by a token if it has none; and its client, if that is a new one, join the groups that the page had
 * joined. A group that refuses is given up. What else fails is thrown; then groups are joined again that are joined
 * already, which changes nothing.
 */
export async function getReady(
  { http, identity, upstream, onRefused }: ReadinessParts,
  signal: AbortSignal,
): Promise<void> {
  await identity.take(signal)
  const { token, groups } = identity
  for (const group of identity.isMember ? [] : groups) {
    try {
      await askOnce(http, groupsRequest([group], []), token!, signal)
    } catch (cause) {
      const isRefused = cause instanceof CometError && !cause.willRetry && !endsClient(cause.code)
      if (!isRefused) throw cause
      groups.delete(group)
      onRefused(new CometError(cause.code, true, cause))
    }
  }
  identity.isMember = true
  upstream.hurry()
}
