import { CometChannel } from '/comet/client.js'
import { isRefusal, Outbox } from './outbox.js'
import { post } from './request.js'
import * as view from './view.js'
import { roomOf, Visit } from './visit.js'

/** Kept by the tab over a reload: `{ name, publicToken, privateToken }`. */
const SAVED_LOGIN = 'chat login'

const FORGOTTEN =
  'The server restarted, or you were away for long: you have been logged in again. What was said meanwhile may be missing.'
const MISSED = 'You were away for long. Something that was said meanwhile may be missing.'

/** By then the channel has given up a connection in which nothing came, or something came. */
const LONGEST_QUIET_MS = 12_000
/** How long until the page asks again to enter a room. */
const ENTER_AGAIN_MS = 5000

const byId = (id) => document.getElementById(id)
const nameField = byId('name')
const textField = byId('text')

let login = JSON.parse(sessionStorage.getItem(SAVED_LOGIN))
let channel
/** Of the room that the page is in, or asked to enter. */
let visit
/** Set while nothing comes, and the channel waits still. */
let quietTimer

const outbox = new Outbox({
  send: async (message) => receive(await channel.send('Say', message)),
  changed: (messages) => {
    view.showWaiting(messages, visit?.room)
    updateState()
  },
  refused: showRefusal,
})

async function askForLogin(name) {
  try {
    return await post('/login', { name })
  } catch (error) {
    if (error.status === 409) error.message = `“${name}” is already logged in.`
    throw error
  }
}

function keepLogin(newLogin) {
  login = newLogin
  sessionStorage.setItem(SAVED_LOGIN, JSON.stringify(login))
}

/** The channel asks at its beginning, and again whenever the server does not know the client any more. */
function tokenSource() {
  let isFirst = true
  return async () => {
    if (!isFirst) await logInAgain()
    isFirst = false
    return login.privateToken
  }
}

async function logInAgain() {
  const before = login
  try {
    const renewed = await askForLogin(before.name)
    if (login === before) keepLogin(renewed)
    else void post('/logout', {}, renewed.privateToken)
  } catch (error) {
    if (error.status === 409 && login === before) showLogin(error.message)
    throw error
  }
}

function comeIn() {
  byId('login').hidden = true
  byId('chat').hidden = false
  showTakenOver(false)
  channel = new CometChannel('/comet', tokenSource(), 'chat')
  channel.on('ChatMessage', receive)
  channel.on('aspNetComet.join', (notice, { mid }) => {
    visit?.joined(notice, mid)
    showPeople()
  })
  channel.on('aspNetComet.leave', (notice, { mid }) => {
    visit?.left(notice, mid)
    showPeople()
  })
  channel.addEventListener('statechange', ({ detail }) => {
    noteSign()
    if (detail.state === 'connected') outbox.sendDoubtfulAgain()
  })
  channel.addEventListener('connectionslow', noteQuiet)
  channel.addSuccessHandler(noteSign)
  channel.addEventListener('reset', ({ detail }) => {
    view.showNote(detail.reason === 'forgotten' ? FORGOTTEN : MISSED)
    enterRoom()
  })
  channel.addFailureHandler((_privateToken, _alias, error) => {
    if (error.code === 'COMET_REPLACED') showTakenOver(true)
    else if (error.code === 'COMET_CLIENT_IS_STOPPED') showLogin('You have been logged out.')
    else if (!error.willRetry) showLogin(error.message)
  })
  channel.subscribe()
  enterRoom()
}

/** The room that the address names. Also when the page is in it, but may have missed something. */
function enterRoom() {
  const room = roomOf(location.hash)
  if (visit?.room !== room) view.showRoom(room)
  visit = new Visit(room)
  showRefusal()
  void enter(visit)
}

async function enter(visited) {
  try {
    const entered = await channel.send('Enter', { room: visited.room })
    if (visit !== visited) return
    for (const message of entered.messages) receive(message)
    visited.entered(entered)
    showPeople()
  } catch (error) {
    if (visit !== visited) return
    if (isRefusal(error)) showRefusal(error)
    else setTimeout(() => visit === visited && enter(visited), ENTER_AGAIN_MS)
  }
}

function showPeople() {
  if (visit?.people) view.showPeople(visit.people, login.publicToken)
}

/** A message comes more than once: through the channel, on entering, and one's own as what sending it gave. */
function receive(message) {
  if (!visit) return
  if (message.publicToken === login.publicToken) outbox.remove(message.key)
  if (message.room === null || message.room === visit.room) view.showMessage(message, login.publicToken)
}

function showLogin(error = '') {
  void channel?.leave()
  channel = visit = undefined
  nameField.value = login?.name ?? ''
  login = null
  sessionStorage.removeItem(SAVED_LOGIN)
  outbox.clear()
  view.clearRoom()
  byId('chat').hidden = true
  byId('login').hidden = false
  byId('login-error').textContent = error
  selectName()
}

function selectName() {
  nameField.focus()
  nameField.select()
}

async function logOut() {
  const { privateToken } = login
  showLogin()
  // Else the name would be taken for some seconds more. A server that cannot be reached frees it in time.
  await post('/logout', {}, privateToken).catch(() => {})
}

function showTakenOver(isTakenOver) {
  byId('taken-over').hidden = !isTakenOver
  byId('composer').inert = isTakenOver
  if (isTakenOver) byId('take-back').focus()
  else textField.focus()
}

function showRefusal(error) {
  byId('refusal').textContent = error?.message ?? ''
}

/** That something comes after all is told only if it is a message, or a change of state. */
function noteQuiet() {
  noteSign()
  quietTimer = setTimeout(noteSign, LONGEST_QUIET_MS)
  updateState()
}

function noteSign() {
  clearTimeout(quietTimer)
  quietTimer = undefined
  updateState()
}

function updateState() {
  const state = channel?.state ?? 'connecting'
  view.showState(state, quietTimer !== undefined || outbox.isLate)
  const isTold = state !== 'connected' || outbox.isLate || outbox.isDoubtful
  view.showUnsent(isTold ? outbox.unsent : 0)
}

byId('login-form').addEventListener('submit', async (event) => {
  event.preventDefault()
  const button = event.submitter
  button.disabled = true
  byId('login-error').textContent = ''
  try {
    keepLogin(await askForLogin(nameField.value))
    comeIn()
  } catch (error) {
    byId('login-error').textContent = error.message
    selectName()
  } finally {
    button.disabled = false
  }
})

byId('composer').addEventListener('submit', (event) => {
  event.preventDefault()
  const text = textField.value.trim()
  textField.value = ''
  textField.focus()
  showRefusal()
  if (text) outbox.add(visit.room, text)
})

textField.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
  event.preventDefault()
  byId('composer').requestSubmit()
})

byId('waiting-list').addEventListener('click', ({ target }) => {
  const button = target.closest('button')
  if (!button) return
  const { key } = button.closest('li').dataset
  if (button.value === 'edit') textField.value = outbox.find(key).text
  if (button.value === 'sendAgain') outbox.sendAgain(key)
  else outbox.remove(key)
  textField.focus()
})

byId('take-back').addEventListener('click', () => {
  showTakenOver(false)
  channel.subscribe()
  enterRoom()
})
byId('logout').addEventListener('click', logOut)
window.addEventListener('hashchange', () => visit && enterRoom())

if (login) comeIn()
else showLogin()
