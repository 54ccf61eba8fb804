// How the page shows what it knows. What comes from others goes through textContent only.

const STATES = {
  connecting: 'Connecting…',
  connected: 'Connected',
  reconnecting: 'Reconnecting…',
  disconnected: 'Not connected',
}

const MARKS = ['X', 'O']

const byId = (id) => document.getElementById(id)

/** @param move called with the number of a square that the player takes */
export function createBoard(move) {
  for (let square = 0; square < 9; square += 1) {
    const button = document.createElement('button')
    button.type = 'button'
    // Not `disabled`: that would take the focus away.
    button.addEventListener('click', () => button.ariaDisabled === 'true' || move(square))
    byId('board').append(button)
  }
  for (const button of byId('board').children) button.ariaDisabled = 'true'
}

/**
 * @param me the public token of this page
 * @param waiting the square of a move that is not answered yet, or null
 * @param isOld whether the game is being asked for anew, and may be another one
 */
export function showGame(game, { me, waiting, isOld }) {
  const { board, last, turn, outcome, players, next } = game
  const mine = MARKS[players.findIndex(({ publicToken }) => publicToken === me)]
  const mayMove = turn !== null && turn === mine && waiting === null && !isOld
  for (const [square, mark] of board.entries()) {
    const button = byId('board').children[square]
    const isWaiting = square === waiting
    button.textContent = mark ?? (isWaiting ? mine : '')
    button.dataset.mark = button.textContent
    button.dataset.is = isWaiting ? 'waiting' : outcome?.line.includes(square) ? 'won' : ''
    button.ariaLabel = `${placeOf(square)}: ${mark ?? (isWaiting ? `${mine}, not sent yet` : 'empty')}`
    button.ariaDisabled = String(!mayMove || mark !== null)
  }
  showPlayers(players, turn, me)
  byId('last-move').textContent = last === null ? '' : `${board[last]}: ${placeOf(last)}.`
  byId('news').textContent = newsOf(game, mine)
  byId('again').hidden = !next.includes(me)
}

function showPlayers(players, turn, me) {
  const items = MARKS.map((mark, index) => {
    const player = players[index]
    const item = document.createElement('li')
    item.dataset.mark = mark
    item.classList.toggle('turn', turn === mark)
    item.append(textIn('b', mark), ' ', textIn('bdi', player ? nameOf(player, me) : '…'))
    return item
  })
  byId('players').replaceChildren(...items)
}

function newsOf({ turn, outcome, players }, mine) {
  const nameFor = (mark) => players[MARKS.indexOf(mark)].name
  if (outcome) {
    const { winner, byLeaving } = outcome
    if (winner === null) return 'A draw.'
    const loser = winner === 'X' ? 'O' : 'X'
    const left = byLeaving ? `${loser === mine ? 'You have' : `${nameFor(loser)} has`} left. ` : ''
    return left + (winner === mine ? 'You have won!' : `${nameFor(winner)} has won.`)
  }
  if (turn === null) return 'Waiting for a second player.'
  if (turn === mine) return `Your turn: you are ${mine}.`
  return `${nameFor(turn)}’s turn: ${turn}.`
}

export function showPeople(clients, me) {
  const items = clients.map(({ publicToken, displayName: name }) =>
    textIn('li', nameOf({ publicToken, name }, me)),
  )
  byId('people').replaceChildren(...items)
}

export function showState(state) {
  byId('status').dataset.state = state
  byId('status').textContent = STATES[state]
}

export function showNote(text) {
  byId('note').textContent = text
}

export function showLink(address) {
  byId('link').value = address
}

function nameOf({ publicToken, name }, me) {
  return publicToken === me ? `${name} (you)` : name
}

function placeOf(square) {
  return `row ${Math.floor(square / 3) + 1}, column ${(square % 3) + 1}`
}

function textIn(tag, text) {
  const element = document.createElement(tag)
  element.textContent = text
  return element
}

byId('copy').addEventListener('click', async () => {
  byId('link').select()
  // There only in pages of https and of this machine; selected it is anyway.
  await navigator.clipboard?.writeText(byId('link').value)
})
