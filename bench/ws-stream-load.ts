import { serveStreamLoad } from './stream-load.ts'
import { PageWebSocket } from './web-socket.ts'

serveStreamLoad<PageWebSocket>((place, got) => new PageWebSocket(place, '/', got))
