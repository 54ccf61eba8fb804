import { CometChannel } from '/comet/client.js'
import { Ledger } from './ledger.js'
import { orderNode, watchNodes } from './nodes.js'
import { Pages } from './pages.js'
import * as view from './view.js'

/** All pages are in it. */
const EVERYBODY = 'everybody'

const SEND_EVERY_MS = 250

const byId = (id) => document.getElementById(id)

const takesPolls = new URLSearchParams(location.search).has('polls')

/** Names the lines of this page, from its loading on. */
const series = crypto.getRandomValues(new Uint32Array(4)).join('-')
const ledger = new Ledger(series)
const pages = new Pages((present) => view.showPages(present, channel.publicToken))

// Without a private token the channel registers itself, and is the same client after a reload.
const channel = new CometChannel('/comet', null, 'cluster', {
  fetch: noticingFetch,
  transports: takesPolls ? ['long-polling'] : ['streaming', 'long-polling'],
})

let sent = 0
let resets = 0
let reconnects = 0
/** Settled when all that was sent is answered. */
let lastSaid = Promise.resolve()
let sending

channel.on('Line', (line) => {
  ledger.note(line)
  view.showLine(line, line.series === series)
  showFigures()
})
channel.on('aspNetComet.join', ({ client }, { mid }) => pages.join(client, mid))
channel.on('aspNetComet.leave', ({ client }, { mid }) => pages.leave(client, mid))
channel.addEventListener('statechange', ({ detail }) => {
  if (detail.state === 'reconnecting') reconnects += 1
  view.showState(detail.state, channel.transport)
  showFigures()
})
channel.addEventListener('reset', () => {
  resets += 1
  showFigures()
  void loadPages()
})
channel.addFailureHandler((_privateToken, _alias, error) => {
  if (!error.willRetry) view.showNote(`${error.message} Reload the page to go on.`)
})

/** The channel asks by it, so that the page sees which node has answered. */
async function noticingFetch(url, init) {
  const { pathname } = new URL(url, location)
  const request = `${init.method ?? 'GET'} ${pathname}`
  try {
    const response = await fetch(url, init)
    const node = response.headers.get('Sample-Node')
    const isStream = response.headers.get('Content-Type')?.startsWith('text/event-stream') ?? false
    view.showRequest(request, node, isStream ? 'stream' : response.status)
    if (pathname === '/comet') view.showStream(isStream ? node : null)
    return response
  } catch (error) {
    if (!init.signal.aborted) view.showRequest(request, null, 'cut off')
    throw error
  }
}

/** One after another, so that they come in order even if one has to be sent again. */
function say() {
  sent += 1
  const line = { series, number: sent }
  lastSaid = lastSaid.then(() => sayOnce(line)).catch(({ message }) => view.showNote(message))
  showFigures()
}

/** The channel repeats by itself what was cut off. It says so if nobody knows whether the handler ran to its end. */
async function sayOnce(line) {
  try {
    await channel.send('Say', line)
  } catch (error) {
    if (error.code !== 'COMET_OUTCOME_IS_UNKNOWN') throw error
    // The app knows the line by its number: it sends none twice.
    await sayOnce(line)
  }
}

function keepSending(isOn) {
  clearInterval(sending)
  sending = isOn ? setInterval(say, SEND_EVERY_MS) : undefined
  byId('keep').ariaPressed = String(isOn)
}

async function loadPages() {
  pages.expect()
  try {
    const { clients, asOf } = await channel.getClients(EVERYBODY)
    pages.load(clients, asOf)
  } catch ({ message }) {
    view.showNote(message)
  }
}

function showFigures() {
  const { back, lost, twice } = ledger
  view.showFigures({ sent, back, lost, twice, resets, reconnects })
}

byId('say').addEventListener('click', say)
byId('keep').addEventListener('click', () => keepSending(sending === undefined))
showFigures()
view.onOrder(orderNode)
view.showTransportLink(takesPolls)
watchNodes(view.showNodes)
channel.subscribe()
void loadPages()
