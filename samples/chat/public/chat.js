import { CometChannel } from '/comet/client.js'
import { Outbox } from './outbox.js'
import { post, request } from './request.js'
import { clearRoom, showMessage, showNote, showPeople, showState, showWaiting } from './view.js'

/** Kept by the tab over a reload: `{ name, publicToken, privateToken }`. */
const SAVED_LOGIN = 'chat login'

const FORGOTTEN =
  'The server restarted, or you were away for long: you have been logged in again. What was said meanwhile may be missing.'
const MISSED = 'You were away for long. Something that was said meanwhile may be missing.'

/** By then the channel has given up a connection in which nothing came, or something came. */
const LONGEST_QUIET_MS = 12_000
/** How long until what the page shows is asked for again. */
const RELOAD_MS = 5000

const byId = (id) => document.getElementById(id)
const nameField = byId('name')
const textField = byId('text')

let login = JSON.parse(sessionStorage.getItem(SAVED_LOGIN))
let channel
let peopleAsOf = 0
/** Set while nothing comes, and the channel waits still. */
let quietTimer
let isOutboxStuck = false

const outbox = new Outbox({
  send: (message) => post('/messages', message, login.privateToken),
  changed: showUnsent,
  refused: (message, error) => showNote(`Not sent: “${message.text}”. ${error.message}`),
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

function enterRoom() {
  byId('login').hidden = true
  byId('chat').hidden = false
  showTakenOver(false)
  peopleAsOf = 0
  channel = new CometChannel('/comet', tokenSource(), 'chat')
  channel.on('ChatMessage', (message) => showMessage(message, login.publicToken))
  channel.on('People', (people, { mid }) => updatePeople(people, mid))
  channel.addEventListener('statechange', ({ detail }) => {
    noteSign()
    if (detail.state === 'connected') void outbox.flush()
  })
  channel.addEventListener('connectionslow', noteQuiet)
  channel.addSuccessHandler(noteSign)
  channel.addEventListener('reset', ({ detail }) => {
    showNote(detail.reason === 'forgotten' ? FORGOTTEN : MISSED)
    void loadRoom()
  })
  channel.addFailureHandler((_privateToken, _alias, error) => {
    if (error.code === 'COMET_REPLACED') showTakenOver(true)
    else if (error.code === 'COMET_CLIENT_IS_STOPPED') showLogin('You have been logged out.')
    else if (!error.willRetry) showLogin(error.message)
  })
  channel.subscribe()
  void loadRoom()
}

/** What was said before the channel's first message. */
async function loadRoom() {
  const { privateToken } = login
  const isOurs = () => login?.privateToken === privateToken
  try {
    const { asOf, people, messages } = await request('GET', '/room', { privateToken })
    if (!isOurs()) return
    for (const message of messages) showMessage(message, login.publicToken)
    updatePeople(people, asOf)
  } catch {
    // A server that has forgotten us: the channel finds out too, logs in again, and tells by `reset`.
    setTimeout(() => isOurs() && loadRoom(), RELOAD_MS)
  }
}

function updatePeople(people, asOf) {
  if (asOf < peopleAsOf) return
  peopleAsOf = asOf
  showPeople(people, login.publicToken)
}

function showLogin(error = '') {
  void channel?.leave()
  channel = undefined
  nameField.value = login?.name ?? ''
  login = null
  sessionStorage.removeItem(SAVED_LOGIN)
  outbox.clear()
  clearRoom()
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

function showUnsent(messages, error) {
  const { length } = messages
  isOutboxStuck = error !== undefined
  byId('unsent').hidden = !isOutboxStuck
  byId('unsent-text').textContent = `Not sent yet: ${length === 1 ? '1 message' : `${length} messages`}`
  showWaiting(messages)
  updateState()
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
  showState(channel?.state ?? 'connecting', quietTimer !== undefined || isOutboxStuck)
}

byId('login-form').addEventListener('submit', async (event) => {
  event.preventDefault()
  const button = event.submitter
  button.disabled = true
  byId('login-error').textContent = ''
  try {
    keepLogin(await askForLogin(nameField.value))
    enterRoom()
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
  if (text) void outbox.add(text)
})

textField.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
  event.preventDefault()
  byId('composer').requestSubmit()
})

byId('take-back').addEventListener('click', () => {
  showTakenOver(false)
  channel.subscribe()
})
byId('send-again').addEventListener('click', () => outbox.flush())
byId('logout').addEventListener('click', logOut)

if (login) enterRoom()
else showLogin()
