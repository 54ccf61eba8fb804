import type { WireMessage } from '../../lib/wire.ts'

export interface PollOptions {
  readonly cursor?: string | undefined
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

export interface PollAnswer {
  readonly status: number
  readonly headers: Headers
  readonly cursor: string | null
  readonly outcome: string | null
  readonly messages: readonly WireMessage[]
}

/** One poll of a page: the GET form. */
export async function poll(
  url: string,
  privateToken: string,
  options: PollOptions = {},
): Promise<PollAnswer> {
  const response = await fetch(url, {
    headers: {
      Authorization: `Bearer ${privateToken}`,
      ...(options.cursor !== undefined && { 'Last-Event-ID': options.cursor }),
      ...options.headers,
    },
    signal: options.signal ?? null,
  })
  const messages = (await response.json()) as WireMessage[]
  return {
    status: response.status,
    headers: response.headers,
    cursor: response.headers.get('comet-cursor'),
    outcome: response.headers.get('comet-outcome'),
    messages,
  }
}

/** A poll that is answered at once, whatever there is. */
export function glance(url: string, privateToken: string, options: PollOptions = {}): Promise<PollAnswer> {
  return poll(url, privateToken, { ...options, headers: { Prefer: 'wait=0', ...options.headers } })
}
