// How the page shows what it knows. What others wrote goes through textContent only.

const LONGEST_FOLLOW_UP_MS = 5 * 60_000
const AT_END_PX = 80

const STATES = {
  connecting: 'Connecting…',
  connected: 'Connected',
  reconnecting: 'Reconnecting…',
  disconnected: 'Not connected',
  // Nothing comes, or what was sent is not answered: whether the server is there is not known yet.
  slow: 'Connected, slow',
}

const TROUBLES = { refused: 'Not sent', doubtful: 'Perhaps not sent' }

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' })

const byId = (id) => document.getElementById(id)
const messages = byId('messages')
const list = byId('message-list')
const waiting = byId('waiting-list')
const latest = byId('latest')

/** Whether the newest message is in sight, and is to stay so. */
let isFollowing = true
let scrolledTo = 0

export function showState(state, isSlow) {
  const shown = isSlow && state === 'connected' ? 'slow' : state
  const status = byId('status')
  // What is the same is not read out again.
  if (status.dataset.state === shown) return
  status.dataset.state = shown
  status.textContent = STATES[shown]
}

/** Shows nothing of the room before. */
export function showRoom(room) {
  const name = `#${room}`
  clearRoom()
  document.title = `${name} · Chat`
  byId('room').textContent = name
  byId('text').placeholder = `Write to ${name}`
  for (const link of byId('rooms').querySelectorAll('a'))
    link.ariaCurrent = link.textContent === name ? 'page' : null
}

/** Puts a message at its place in the order of ids. One that is shown already changes nothing. */
export function showMessage({ id, publicToken, name, text, at, room, toName }, me) {
  if (list.querySelector(`[data-id="${Number(id)}"]`)) return
  const isMine = publicToken === me
  const item = clone('message-template')
  item.dataset.id = id
  item.dataset.by = publicToken
  item.dataset.at = at
  item.classList.toggle('own', isMine)
  item.classList.toggle('private', toName !== null)
  showName(item, { publicToken, name: isMine ? `${name} (you)` : name })
  if (toName !== null) item.querySelector('.for').textContent = isMine ? `Only to ${toName}` : 'Only to you'
  else if (room === null) item.querySelector('.for').textContent = 'To all rooms'
  item.querySelector('.text').textContent = text
  const time = item.querySelector('time')
  time.dateTime = new Date(at).toISOString()
  time.title = new Date(at).toLocaleString()
  time.textContent = clock.format(at)
  insert(item)
}

/** What the user wrote and the server does not have, as far as the page knows: see `Outbox`. */
export function showWaiting(messages, currentRoom) {
  const keys = messages.map(({ key }) => key)
  for (const item of [...waiting.children]) if (!keys.includes(item.dataset.key)) item.remove()
  for (const [index, { key, text, room, trouble }] of messages.entries()) {
    // The oldest are first: those that are new here are the last.
    const item = waiting.children[index] ?? waiting.appendChild(clone('waiting-template'))
    item.dataset.key = key
    item.dataset.trouble = trouble ?? ''
    item.querySelector('.text').textContent = text
    const where = room === currentRoom ? '' : ` to #${room}`
    item.querySelector('.trouble').textContent = trouble ? TROUBLES[trouble] + where : where.trim()
    const [edit, sendAgain, discard] = item.querySelectorAll('button')
    edit.hidden = trouble !== 'refused'
    sendAgain.hidden = trouble !== 'doubtful'
    discard.hidden = !trouble
  }
}

/** @param number how many messages */
export function showUnsent(number) {
  const unsent = byId('unsent')
  unsent.hidden = number === 0
  unsent.textContent = `Not sent yet: ${number === 1 ? '1 message' : `${number} messages`}`
}

/** Something that nobody said. Stands where it happened. */
export function showNote(text) {
  const item = document.createElement('li')
  item.className = 'note'
  item.dataset.id = list.lastElementChild?.dataset.id ?? 0
  item.textContent = text
  insert(item)
}

export function showPeople(people, me) {
  byId('people-count').textContent = people.length || ''
  byId('people').replaceChildren(
    ...people.map(({ publicToken, displayName: name }) => {
      const isMe = publicToken === me
      const item = clone('person-template')
      item.classList.toggle('own', isMe)
      showName(item, { publicToken, name: isMe ? `${name} (you)` : name })
      return item
    }),
  )
}

export function clearRoom() {
  list.replaceChildren()
  showPeople([])
}

export function showLatest() {
  messages.scrollTop = messages.scrollHeight
}

function insert(item) {
  let before = list.lastElementChild
  while (before && Number(before.dataset.id) > Number(item.dataset.id)) before = before.previousElementSibling
  if (before) before.after(item)
  else list.prepend(item)
  markFollowUp(item)
  markFollowUp(item.nextElementSibling)
  if (isFollowing || item.classList.contains('own')) showLatest()
  else latest.hidden = false
}

/** A message soon after another one of the same person needs no name of its own. */
function markFollowUp(item) {
  const before = item?.previousElementSibling
  const follows =
    before?.dataset.by !== undefined &&
    before.dataset.by === item.dataset.by &&
    before.querySelector('.for').textContent === item.querySelector('.for').textContent &&
    item.dataset.at - before.dataset.at < LONGEST_FOLLOW_UP_MS
  item?.classList.toggle('follow-up', follows)
}

function showName(item, { publicToken, name }) {
  item.style.setProperty('--hue', hueOf(publicToken))
  item.querySelector('.name').textContent = name
  item.querySelector('.avatar').textContent = [...name][0].toUpperCase()
}

/** The same person has the same colour on every page. */
function hueOf(publicToken) {
  let hash = 0
  for (const character of publicToken) hash = Math.imul(hash ^ character.codePointAt(0), 0x9e3779b1)
  return (hash >>> 8) % 360
}

function clone(templateId) {
  return byId(templateId).content.firstElementChild.cloneNode(true)
}

messages.addEventListener('scroll', () => {
  const { scrollHeight, scrollTop, clientHeight } = messages
  const isAtEnd = scrollHeight - scrollTop - clientHeight < AT_END_PX
  // What has grown below since then is no reader's doing.
  isFollowing = isAtEnd || (isFollowing && scrollTop >= scrolledTo)
  scrolledTo = scrollTop
  if (isFollowing) latest.hidden = true
})
latest.addEventListener('click', showLatest)
// A keyboard on a screen and a longer message below take room from the list, and so does what waits.
const sizes = new ResizeObserver(() => isFollowing && showLatest())
for (const element of [messages, waiting]) sizes.observe(element)
