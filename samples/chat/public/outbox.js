/** Sends what the user wrote: in order, one after the other, each once, and again when it could not be sent. */
export class Outbox {
  #messages = []
  #isSending = false
  #send
  #changed
  #refused

  /**
   * @param send sends `{ text, key }`; what it throws has a `status` if the server answered
   * @param changed told how many wait, and why if sending failed
   * @param refused told of a message that the server does not take, and why
   */
  constructor({ send, changed, refused }) {
    this.#send = send
    this.#changed = changed
    this.#refused = refused
  }

  add(text) {
    this.#messages.push({ text, key: randomKey() })
    return this.flush()
  }

  clear() {
    this.#messages = []
    this.#changed(0)
  }

  async flush() {
    if (this.#isSending) return
    this.#isSending = true
    let error
    while (!error && this.#messages.length > 0) error = await this.#sendFirst()
    this.#isSending = false
    this.#changed(this.#messages.length, error)
  }

  async #sendFirst() {
    const [message] = this.#messages
    try {
      await this.#send(message)
    } catch (error) {
      // 404: the server has forgotten us. The channel logs in again.
      const isRefused = error.status >= 400 && error.status < 500 && error.status !== 404
      if (!isRefused) return error
      this.#refused(message, error)
    }
    if (this.#messages[0] === message) this.#messages.shift()
    return undefined
  }
}

function randomKey() {
  return crypto.getRandomValues(new Uint32Array(4)).join('-')
}
