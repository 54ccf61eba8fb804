import { serveHeldResponses } from './held-responses.ts'

/** The yardstick: Node's own server, and nothing else. */
serveHeldResponses((hold) => (_request, response) => hold(response))
