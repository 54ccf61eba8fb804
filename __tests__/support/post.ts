import type { WireMessage } from '../../lib/wire.ts'

export interface Posted {
  readonly status: number
  readonly headers: Headers
  /** The contents of an answer that is an object; of an error, what its array holds. */
  readonly body: unknown
  readonly error: WireMessage | undefined
}

/** Posts JSON to an address of the channel, as a client. */
export async function post(
  url: string,
  privateToken: string | undefined,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Posted> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      ...(privateToken !== undefined && { Authorization: `Bearer ${privateToken}` }),
      ...headers,
    },
    body: JSON.stringify(body),
  })
  return posted(response)
}

export async function posted(response: Response): Promise<Posted> {
  const { status, headers } = response
  const body: unknown = await response.json()
  return { status, headers, body, error: Array.isArray(body) ? (body[0] as WireMessage) : undefined }
}
