import type { ServerResponse } from 'node:http'

/** Whether a response's connection or stream is gone. One that is gone already will not tell so again. */
export function isGone(res: ServerResponse & { readonly stream?: { readonly writable: boolean } }): boolean {
  // The compatibility API of HTTP/2 has neither property, but the stream. One that is reset has ended before it is gone.
  const isOver = res.destroyed || res.closed || res.stream?.writable === false
  // One that stands in line behind another answer of its connection is not told that this is gone.
  return isOver || res.req.socket.destroyed
}
