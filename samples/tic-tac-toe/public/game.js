import { CometChannel } from '/comet/client.js'
import { People } from './people.js'
import { createBoard, showGame, showLink, showNote, showPeople, showState } from './view.js'

const RESET =
  'The server has restarted, or you were away for too long: you are here anew, and the game may be another one.'

const NAME = /^[\w-]{1,40}$/

const byId = (id) => document.getElementById(id)

// Without a private token the channel registers itself, and is the same client after a reload.
const channel = new CometChannel('/comet', null, 'game')
const people = new People((clients) => showPeople(clients, channel.publicToken))

/** The name of the game that this page is at: the hash of its address. */
let name
/** As the server said last, with the position in the channel as of which that is so. */
let game
let gameAsOf = 0
/** The square of a move that the server has not answered yet, or null. */
let waiting = null
let isEntering = false
let entries = 0

channel.on('Game', (changed, { mid }) => takeGame(changed, mid))
channel.on('aspNetComet.join', ({ group, client }, { mid }) => group === name && people.join(client, mid))
channel.on('aspNetComet.leave', ({ group, client }, { mid }) => group === name && people.leave(client, mid))
channel.addEventListener('statechange', ({ detail }) => showState(detail.state))
channel.addEventListener('reset', ({ detail }) => {
  if (detail.reason !== 'trimmed') showNote(RESET)
  void enter()
})
channel.addFailureHandler((_privateToken, _alias, error) => {
  if (!error.willRetry) showNote(`${error.message} Reload the page to go on.`)
})

/** Also when this page is at the game already: then it is shown anew. */
async function enter() {
  entries += 1
  const entry = entries
  const isNewest = () => entry === entries
  gameAsOf = 0
  waiting = null
  isEntering = true
  show()
  people.expect()
  try {
    const { asOf, game: entered } = await channel.send('Enter', { name })
    if (!isNewest()) return
    isEntering = false
    takeGame(entered, asOf)
    const present = await channel.getClients(name)
    if (isNewest()) people.load(present.clients, present.asOf)
  } catch (error) {
    // Of an unknown outcome comes a `reset`, which enters again.
    if (isNewest() && error.code !== 'COMET_OUTCOME_IS_UNKNOWN') showNote(error.message)
  }
}

/** What is older than what is shown, or of a game left before, changes nothing. */
function takeGame(changed, asOf) {
  if (changed.name === name && asOf >= gameAsOf) {
    game = changed
    gameAsOf = asOf
    if (waiting !== null && game.board[waiting] !== null) waiting = null
  }
  show()
}

function show() {
  if (game) showGame(game, { me: channel.publicToken, waiting, isOld: isEntering })
}

/** The move is shown when the server has told it to all. */
async function move(square) {
  showNote('')
  waiting = square
  show()
  try {
    await channel.send('Move', { square })
  } catch (error) {
    waiting = null
    show()
    showNote(error.message)
  }
}

async function playAgain() {
  showNote('')
  try {
    await channel.send('Again')
    // The button that had it is gone.
    byId('board').firstElementChild.focus()
  } catch (error) {
    showNote(error.message)
  }
}

/** The address is the invitation. */
function followAddress() {
  if (!NAME.test(location.hash.slice(1))) history.replaceState(null, '', `#${newName()}`)
  name = location.hash.slice(1)
  showLink(location.href)
  showNote('')
  void enter()
}

/** Who guesses it could come in. */
function newName() {
  return [...crypto.getRandomValues(new Uint32Array(2))].map((part) => part.toString(36)).join('')
}

createBoard(move)
byId('again').addEventListener('click', playAgain)
byId('leave').addEventListener('click', () => {
  location.hash = newName()
})
addEventListener('hashchange', followAddress)

followAddress()
channel.subscribe()
