import type { ServerResponse } from 'node:http'

/** As Koa's `ctx.set`: does nothing on a response that has begun. */
export function setHeaders(res: ServerResponse, headers: Readonly<Record<string, string>>): void {
  if (res.headersSent) return
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value)
}
