import { invalidAnswer } from './comet-error.ts'
import type { Http } from './http.ts'

/** One request of a page for anything but messages. */
export interface PageRequest {
  /** What follows the channel's path. */
  readonly endpoint: '/send' | '/groups' | '/clients'
  /** What the answer has, at least. */
  readonly field: string
  /** JSON text. Without it, the request is a GET. */
  readonly body?: string
  /** Whose members are asked for. */
  readonly group?: string | undefined
  /** Whether it must not be carried out twice, as one client and then as the next. */
  readonly isOnce?: boolean
}

/** @param key the same for each repetition: the server runs a handler once for it */
export function sendRequest(n: string, contents: unknown, key: string): PageRequest {
  const body = JSON.stringify({ n, c: contents ?? null, key })
  return { endpoint: '/send', field: 'c', body, isOnce: true }
}

export function groupsRequest(join: readonly string[], leave: readonly string[]): PageRequest {
  return { endpoint: '/groups', field: 'groups', body: JSON.stringify({ join, leave }) }
}

export function clientsRequest(group: string | undefined): PageRequest {
  return { endpoint: '/clients', field: 'clients', group }
}

/** Sends it once. Rejects as `Http.request` does, also when the answer is not that of the endpoint. */
export async function askOnce(
  http: Http,
  { endpoint, field, body, group }: PageRequest,
  token: string,
  signal: AbortSignal,
): Promise<unknown> {
  const url = new URL(http.urlOf(endpoint))
  if (group !== undefined) url.searchParams.set('group', group)
  const { body: answer } = await http.request(signal, body ? asJson(body) : {}, token, url.href)
  if (!Object.hasOwn(answer as object, field)) throw invalidAnswer()
  return answer
}

/** @param body JSON text */
export function asJson(body: string) {
  return { method: 'POST', headers: { 'Content-Type': 'application/json' }, body }
}
