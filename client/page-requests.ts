import { invalidAnswer } from './comet-error.ts'
import type { Http } from './http.ts'

/** One request of a page for anything but messages. */
export interface PageRequest {
  /** What follows the channel's path, and a slash. */
  readonly subpath: 'send' | 'groups' | 'clients'
  /** What the answer has, at least. Default: what is asked for. */
  readonly field?: string
  /** JSON text. Without it, the request is a GET. */
  readonly body?: string
  /** Whose members are asked for. */
  readonly group?: string | undefined
  /** Whether it must not be carried out twice, as one client and then as the next. */
  readonly isOnce?: boolean
}

/** The names of groups to be joined, or left. */
export interface GroupsChange {
  readonly join?: readonly string[]
  readonly leave?: readonly string[]
}

/** @param key the same for each repetition: the server runs a handler once for it */
export function sendRequest(n: string, contents: unknown, key: string): PageRequest {
  const body = JSON.stringify({ n, c: contents, key })
  return { subpath: 'send', field: 'c', body, isOnce: true }
}

export function groupsRequest(change: GroupsChange): PageRequest {
  return { subpath: 'groups', body: JSON.stringify(change) }
}

export function clientsRequest(group: string | undefined): PageRequest {
  return { subpath: 'clients', group }
}

/** Sends it once. Rejects as `Http.request` does, also when the answer is not what was asked for. */
export async function askOnce(
  http: Http,
  { subpath, field = subpath, body, group }: PageRequest,
  token: string,
  signal: AbortSignal,
): Promise<unknown> {
  const url = new URL(http.urlOf(`/${subpath}`))
  if (group !== undefined) url.searchParams.set('group', group)
  const { body: answer } = await http.request(signal, body ? asJson(body) : {}, token, url.href)
  if (!Object.hasOwn(answer as object, field)) throw invalidAnswer()
  return answer
}

/** @param body JSON text */
export function asJson(body: string) {
  return { method: 'POST', headers: { 'Content-Type': 'application/json' }, body }
}
