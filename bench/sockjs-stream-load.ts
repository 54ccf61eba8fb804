import { randomUUID } from 'node:crypto'
import { MARK } from './message-counter.ts'
import { serveStreamLoad } from './stream-load.ts'
import { StreamSocket } from './stream-socket.ts'

/** Messages come as texts in JSON. */
const MARK_IN_TEXT = MARK.replaceAll('"', '\\"')

serveStreamLoad<StreamSocket>((place, got) => {
  const lines = [`GET /sockjs/000/${randomUUID()}/eventsource HTTP/1.1`]
  return new StreamSocket(place, lines, got, undefined, MARK_IN_TEXT)
})
