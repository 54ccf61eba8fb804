/* global AspNetComet */

const LOG_LENGTH = 8

const STATES = {
  connecting: 'Connecting…',
  connected: 'Connected',
  reconnecting: 'Connection lost. Trying again…',
  disconnected: 'Not connected',
}

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium', hourCycle: 'h23' })

const byId = (id) => document.getElementById(id)

// Without a private token the channel registers itself.
// The timeout handler is one of polls: a stream has no timeout.
const channel = new AspNetComet('/comet', null, 'counter', { transports: ['long-polling'] })
let isRunning = false
let isPolling = false

channel.addSuccessHandler((_privateToken, alias, message) => {
  log(`${alias}: success, ${message.n} ${message.c.count}`)
  if (message.n === 'Counter') showCounter(message.c)
})
channel.addTimeoutHandler((_privateToken, alias) => log(`${alias}: timeout, nothing new`))
channel.addFailureHandler((_privateToken, alias, error) => {
  log(`${alias}: failure, ${error.code}, ${error.willRetry ? 'tries again' : 'stopped'}`)
  if (!error.willRetry) showPolling(false)
})
channel.addEventListener('statechange', ({ detail: { state } }) => showState(state))
channel.addEventListener('reset', ({ detail: { reason } }) => {
  log(`counter: reset, ${reason}`)
  void loadCounter()
})

async function loadCounter() {
  const response = await fetch('/state').catch(() => undefined)
  if (response?.ok) showCounter(await response.json())
}

function showCounter(counter) {
  isRunning = counter.isRunning
  byId('count').textContent = counter.count
  byId('notifications').textContent = isRunning ? 'Stop notifications' : 'Start notifications'
  explain()
}

function showPolling(isOn) {
  isPolling = isOn
  byId('polling').textContent = isOn ? 'Stop polling' : 'Start polling'
  explain()
}

function showState(state) {
  byId('status').textContent = STATES[state]
  byId('status').dataset.state = state
}

function explain() {
  const server = isRunning ? 'The server counts once a second' : 'The server has stopped counting'
  byId('explanation').textContent = isPolling
    ? `${server}, and this page listens.`
    : `${server}. This page does not listen.`
}

/** Newest first. */
function log(text) {
  const item = document.createElement('li')
  item.textContent = `${clock.format(new Date())} ${text}`
  const list = byId('log')
  list.prepend(item)
  if (list.children.length > LOG_LENGTH) list.lastElementChild.remove()
}

function poll(isOn) {
  if (isOn) channel.subscribe()
  else channel.unsubscribe()
  showPolling(isOn)
}

// Concerns the server, and so all pages: each is told through the channel.
byId('notifications').addEventListener('click', () =>
  fetch(isRunning ? '/stop' : '/start', { method: 'POST' }).catch(() => log('The server cannot be reached.')),
)

// Concerns this page only. What is sent while it does not poll comes when it polls again.
byId('polling').addEventListener('click', () => poll(!isPolling))

// What the channel brings is newer than what is loaded here, so that it has the last word.
loadCounter().then(() => poll(true))
