import { abortWith, pause } from './abortable.ts'
import { createAttempts } from './attempts.ts'
import { asCometError, CometError } from './comet-error.ts'
import { type Http, isDeadToken } from './http.ts'
import type { Identity } from './identity.ts'
import type { Listeners } from './listeners.ts'
import { askOnce, type PageRequest } from './page-requests.ts'

/** How many requests may wait for their answers. */
const MOST_WAITING = 1000

/** What an upstream works with. */
export interface UpstreamParts {
  readonly http: Http
  readonly identity: Identity
  readonly listeners: Listeners
}

/**
 * What a page asks of the server, beside its messages. Each request waits until the page has a token and is a member of
 * its groups, and is repeated until it is answered, or must not be any more. Rejects with a {@link CometError}.
 */
export interface Upstream {
  /** Asks when all that was put in before has been answered. */
  askInTurn(request: PageRequest): Promise<unknown>
  /** Asks at once, whatever the queue is busy with. */
  askBeside(request: PageRequest): Promise<unknown>
  /** The page has a token again, or a connection: ends pauses that the server did not ask for. */
  hurry(): void
  /** Rejects at once what waits, and what is asked for from now on. */
  end(error: CometError): void
  /** Takes requests again. */
  reopen(): void
}

/** @param renew called when the token was found dead: has the page see to it at once, and returns whether it can */
export function createUpstream({ http, identity, listeners }: UpstreamParts, renew: () => boolean): Upstream {
  let life = new AbortController()
  let last: Promise<unknown> | undefined
  let waiting = 0
  const naps = new Set<AbortController>()
  return { askInTurn, askBeside: ask, hurry, end, reopen }

  async function askInTurn(request: PageRequest): Promise<unknown> {
    if (waiting >= MOST_WAITING) throw new CometError('COMET_QUEUE_IS_FULL', false)
    waiting += 1
    const answer = ask(request, last)
    const free = () => {
      waiting -= 1
    }
    last = answer.then(free, free)
    return answer
  }

  function hurry(): void {
    for (const each of naps) each.abort()
  }

  function end(error: CometError): void {
    life.abort(error)
  }

  function reopen(): void {
    if (life.signal.aborted) life = new AbortController()
  }

  /** @param turn what it has to wait for first */
  async function ask(request: PageRequest, turn?: Promise<unknown>): Promise<unknown> {
    const attempts = createAttempts(identity, request.isOnce)
    const { signal } = life
    await turn
    for (;;) {
      signal.throwIfAborted()
      // What the app gave is there without a subscription.
      if (!identity.renewsToken) await identity.take(signal)
      const restMs = attempts.restMs()
      if (!identity.isReady) {
        await nap(restMs, true, signal)
        continue
      }
      attempts.onBegin()
      const { clientNumber } = identity
      try {
        const answer = await askOnce(http, request, identity.token!, signal)
        // What the client before has joined, the next has not.
        if (request.isOnce || clientNumber === identity.clientNumber) return answer
      } catch (cause) {
        signal.throwIfAborted()
        const failure = asCometError(cause)
        const isRenewed = isDeadToken(failure.code) && renew()
        const pauseMs = attempts.afterFailureMs(failure, isRenewed)
        listeners.call('log', failure.code, pauseMs)
        if (isRenewed) await nap(attempts.restMs(), true, signal)
        // Else the page found that its client lives: servers disagree.
        if (clientNumber === identity.clientNumber) await nap(pauseMs, !failure.retryAfterSeconds, signal)
      }
    }
  }

  async function nap(ms: number, mayHurry: boolean, signal: AbortSignal): Promise<void> {
    const own = abortWith(signal)
    if (mayHurry) naps.add(own)
    await pause(ms, own.signal)
    naps.delete(own)
    own.abort()
  }
}
