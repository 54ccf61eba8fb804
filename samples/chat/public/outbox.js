/** How long something may be on its way before the page says so. */
const LATE_MS = 5000

/**
 * What the user wrote and the server has not taken. Each message has its `text`, `room` and `key`, and is on its way,
 * perhaps late (`isLate`), until it is in trouble: `'refused'`, or `'doubtful'` if nobody knows whether it was sent.
 * It may be sent again all the same: if the server has it, it knows its key.
 */
export class Outbox {
  #messages = []
  #send
  #changed
  #refused

  /**
   * @param send sends a message, until the server has answered; what it throws has a `code`
   * @param changed told of the messages that are left
   * @param refused told why the app does not take a message
   */
  constructor({ send, changed, refused }) {
    this.#send = send
    this.#changed = changed
    this.#refused = refused
  }

  /** How many are not sent, or may not be. */
  get unsent() {
    return this.#messages.filter(({ trouble }) => trouble !== 'refused').length
  }

  get isLate() {
    return this.#messages.some(({ isLate }) => isLate)
  }

  get isDoubtful() {
    return this.#messages.some(({ trouble }) => trouble === 'doubtful')
  }

  add(room, text) {
    const message = { room, text, key: randomKey() }
    this.#messages.push(message)
    void this.#attempt(message)
  }

  find(key) {
    return this.#messages.find((message) => message.key === key)
  }

  /** The server has it, or nobody wants it any more. */
  remove(key) {
    const message = this.find(key)
    if (!message) return
    this.#messages = this.#messages.filter((each) => each !== message)
    clearTimeout(message.lateTimer)
    this.#changed(this.#messages)
  }

  /** Without effect on one that is on its way. */
  sendAgain(key) {
    const message = this.find(key)
    if (message?.trouble) void this.#attempt(message)
  }

  sendDoubtfulAgain() {
    for (const { key, trouble } of this.#messages) if (trouble === 'doubtful') this.sendAgain(key)
  }

  clear() {
    for (const { key } of this.#messages) this.remove(key)
  }

  async #attempt(message) {
    const { room, text, key } = message
    this.#update(message, { trouble: undefined })
    message.lateTimer = setTimeout(() => this.#update(message, { isLate: true }), LATE_MS)
    try {
      await this.#sendSurely({ room, text, key })
      this.remove(key)
    } catch (error) {
      // It was removed meanwhile.
      if (this.find(key) !== message) return
      clearTimeout(message.lateTimer)
      const isRefused = isRefusal(error)
      this.#update(message, { isLate: false, trouble: isRefused ? 'refused' : 'doubtful' })
      if (isRefused) this.#refused(error)
    }
  }

  /** Once more if nobody knows the outcome, as after a crash. */
  async #sendSurely(message) {
    try {
      await this.#send(message)
    } catch (error) {
      if (error.code !== 'COMET_OUTCOME_IS_UNKNOWN') throw error
      await this.#send(message)
    }
  }

  #update(message, changes) {
    Object.assign(message, changes)
    this.#changed(this.#messages)
  }
}

/** Whether it is an answer of the app. All other codes are the channel's. */
export function isRefusal({ code }) {
  return !code.startsWith('COMET_')
}

function randomKey() {
  return crypto.getRandomValues(new Uint32Array(4)).join('-')
}
