import type { Http } from './http.ts'

/** Who says goodbye. */
export interface Leaver {
  readonly token: string | undefined
  readonly page: string
}

/**
 * Tells the server that the client goes.
 *
 * @param isLast the page is about to be gone, and cannot wait; else resolves when the server has heard, or cannot
 */
export async function sayGoodbye(http: Http, { token, page }: Leaver, isLast: boolean): Promise<void> {
  const never = new AbortController().signal
  const url = http.urlOf('/goodbye')
  const body = new URLSearchParams({ privateToken: token!, page })
  if (isLast) navigator.sendBeacon(url, body)
  // A lost goodbye costs nothing: the server removes who stays away. And its answer, 204, has no body to read.
  else await http.request(never, { method: 'POST', body, keepalive: true }, undefined, url).catch(() => {})
}
