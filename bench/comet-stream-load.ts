import { serveStreamLoad } from './stream-load.ts'
import { StreamSocket } from './stream-socket.ts'

serveStreamLoad<StreamSocket>((place, got, before) => {
  const lines = ['GET /comet HTTP/1.1', `Authorization: Bearer ${place.privateToken}`]
  return new StreamSocket(place, lines, got, before)
})
