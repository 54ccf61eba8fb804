import type { Middleware } from 'koa'

/**
 * A page that mounts the channel, counts on `Number`, and writes down what its channel tells. Over a reload it keeps
 * the numbers. In its address, `transports` says what it may use, and `paused` that it does not begin by itself.
 */
const PAGE = `<!doctype html>
<title>Channel</title>
<link rel="icon" href="data:,">
<script type="module">
import { CometChannel } from '/comet/client.js'

const query = new URLSearchParams(location.search)
const channel = new CometChannel('/comet', null, 'default', {
  transports: query.get('transports')?.split(','),
})
const seen = {
  numbers: JSON.parse(sessionStorage.numbers ?? '[]'),
  states: [],
  transports: [],
  failures: [],
  resets: [],
  timeouts: 0,
  slow: 0,
  life: [],
}
channel.on('Number', (number) => {
  seen.numbers.push(number)
  sessionStorage.numbers = JSON.stringify(seen.numbers)
})
channel.addFailureHandler((_token, _alias, { code }) => seen.failures.push(code))
channel.addTimeoutHandler(() => { seen.timeouts += 1 })
channel.addEventListener('statechange', ({ detail }) => {
  seen.states.push(detail.state)
  seen.transports.push(channel.transport)
})
channel.addEventListener('reset', ({ detail }) => seen.resets.push(detail.reason))
channel.addEventListener('connectionslow', () => { seen.slow += 1 })
for (const type of ['pagehide', 'pageshow', 'freeze', 'resume', 'visibilitychange', 'offline', 'online']) {
  addEventListener(type, ({ persisted }) => seen.life.push(persisted ? type + ' persisted' : type), true)
}
Object.assign(globalThis, { channel, seen })
if (!query.has('paused')) channel.subscribe()
</script>
`

const OTHER = `<!doctype html>
<title>Other</title>
<link rel="icon" href="data:,">
`

/** The page at `/`, and one without a channel at `/other`. */
export const pages: Middleware = (ctx, next) => {
  const html = { '/': PAGE, '/other': OTHER }[ctx.path]
  if (html === undefined) return next()
  ctx.type = 'html'
  ctx.body = html
  return undefined
}
