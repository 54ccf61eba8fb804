// How the page shows what it knows. What comes from others goes through textContent only.

const MOST_ENTRIES = 500

const STATES = {
  connecting: 'Connecting…',
  connected: 'Connected',
  reconnecting: 'Reconnecting…',
  disconnected: 'Not connected',
}

const WAYS = { streaming: 'by a stream', 'long-polling': 'by long polls' }

const NODE_STATES = {
  starting: 'Starting',
  running: 'Alive',
  stopping: 'Stopping',
  dead: 'Dead',
}

const byId = (id) => document.getElementById(id)

/** How many requests of this page each node has answered. */
const served = new Map()
/** The node that has this page's stream. */
let streamNode = null
let state = 'connecting'

export function showState(newState, transport) {
  state = newState
  byId('status').dataset.state = state
  byId('status').textContent = state === 'connected' ? `Connected ${WAYS[transport]}` : STATES[state]
  showNodeDetails()
}

/** @param figures numbers by the ids of their places */
export function showFigures(figures) {
  for (const [id, number] of Object.entries(figures)) byId(id).textContent = number
  for (const figure of document.querySelectorAll('.bad'))
    figure.dataset.is = figure.lastElementChild.textContent === '0' ? 'good' : 'bad'
}

export function showLine({ number, by, node }, isOwn) {
  addEntry('lines', node, `Line ${number} of ${by}${isOwn ? ' (this page)' : ''}`)
}

/** @param node null if none has answered */
export function showRequest(request, node, result) {
  addEntry('requests', node, `${request}: ${result}`)
  if (node !== null) served.set(node, (served.get(node) ?? 0) + 1)
  showNodeDetails()
}

/** @param node null if the page has no stream */
export function showStream(node) {
  streamNode = node
  showNodeDetails()
}

/** @param nodes undefined if nobody knows */
export function showNodes(nodes) {
  const list = byId('nodes')
  if (!nodes) {
    for (const item of list.children) {
      item.dataset.state = 'dead'
      item.querySelector('.state').textContent = 'Nobody answers'
      for (const button of item.querySelectorAll('button')) button.ariaDisabled = 'true'
    }
    return
  }
  for (const { name, state, seconds, pid } of nodes) {
    const item = list.querySelector(`[data-node="${name}"]`) ?? list.appendChild(newNode(name))
    item.dataset.state = state
    item.querySelector('.state').textContent =
      `${NODE_STATES[state]} for ${seconds} s${pid ? `, process ${pid}` : ''}`
    for (const button of item.querySelectorAll('button')) button.ariaDisabled = String(state !== 'running')
  }
  showNodeDetails()
}

/** @param order called with a node's name and what is to be done to it */
export function onOrder(order) {
  byId('nodes').addEventListener('click', ({ target }) => {
    const button = target.closest('button')
    if (button && button.ariaDisabled !== 'true') order(button.closest('li').dataset.node, button.value)
  })
}

export function showPages(pages, me) {
  const items = pages.map(({ publicToken, displayName }) => {
    const item = document.createElement('li')
    item.textContent = publicToken === me ? `${displayName} (this page)` : displayName
    return item
  })
  byId('pages').replaceChildren(...items)
}

export function showTransportLink(takesPolls) {
  byId('transport').href = takesPolls ? '?' : '?polls'
  byId('transport').textContent = takesPolls ? 'Take a stream' : 'Take long polls'
}

export function showNote(text) {
  byId('note').textContent = text
}

/** What the page itself knows of each node. */
function showNodeDetails() {
  for (const item of byId('nodes').children) {
    const { node } = item.dataset
    const number = served.get(node) ?? 0
    item.querySelector('.served').textContent =
      `${number} ${number === 1 ? 'request' : 'requests'} of this page`
    item.querySelector('.stream').textContent =
      node === streamNode && state === 'connected' ? 'has this page’s stream' : ''
  }
}

function newNode(name) {
  const item = byId('node-template').content.firstElementChild.cloneNode(true)
  item.dataset.node = name
  item.querySelector('.chip').textContent = name
  for (const button of item.querySelectorAll('button'))
    button.ariaLabel = `${button.textContent} node ${name}`
  return item
}

/** Newest first. */
function addEntry(id, node, text) {
  const list = byId(id)
  const item = byId('entry-template').content.firstElementChild.cloneNode(true)
  item.dataset.node = node ?? 'none'
  item.querySelector('.chip').textContent = node ?? '–'
  item.querySelector('.text').textContent = text
  list.prepend(item)
  if (list.children.length > MOST_ENTRIES) list.lastElementChild.remove()
}
