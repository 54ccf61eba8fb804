import { asCometError, CometError } from './comet-error.ts'
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
 * joined: up to 100 with one request, or, once that is refused, one by one. A group that refuses is given up; all are
 * where the server offers no page to join. What else fails is thrown: the next call goes on with what is not joined yet.
 */
export async function getReady(
  { http, identity, upstream, onRefused }: ReadinessParts,
  signal: AbortSignal,
): Promise<void> {
  await identity.take(signal)
  const { token, groups, unjoined } = identity
  while (unjoined.size) {
    const names = [...unjoined].slice(0, identity.joinsAtOnce)
    try {
      await askOnce(http, groupsRequest({ join: names }), token!, signal)
    } catch (cause) {
      const failure = asCometError(cause)
      const { code, status, willRetry } = failure
      // Where the app's own function fails, to repeat it would not help.
      if ((willRetry && code !== 'COMET_SEND_HAS_FAILED') || endsClient(code)) throw failure
      // COMET_NOT_OFFERED: that holds for all groups.
      if (status === 404) names.push(...unjoined)
      else if (names[1]) {
        // For the calls to come, too: each name counts as a request where the server slows the page down.
        identity.joinsAtOnce = 1
        continue
      }
      for (const name of names) groups.delete(name)
      onRefused(new CometError(code, true, failure))
    }
    for (const name of names) unjoined.delete(name)
  }
  upstream.hurry()
}
