/** How long after a failure it is tried again, unless somebody asks for it sooner. */
const RETRY_MS = 10_000

/** Sends what the user wrote: in order, one after the other, each once, and again when it could not be sent. */
export class Outbox {
  #messages = []
  #isSending = false
  #error
  #retry
  #send
  #changed
  #refused

  /**
   * @param send sends `{ text, key }`; what it throws has a `status` if the server answered
   * @param changed told of the messages that wait, and why if the first of them could not be sent
   * @param refused told of a message that the server does not take, and why
   */
  constructor({ send, changed, refused }) {
    this.#send = send
    this.#changed = changed
    this.#refused = refused
  }

  add(text) {
    this.#messages.push({ text, key: randomKey() })
    this.#tell()
    return this.flush()
  }

  clear() {
    clearTimeout(this.#retry)
    this.#messages = []
    this.#error = undefined
    this.#tell()
  }

  async flush() {
    if (this.#isSending) return
    this.#isSending = true
    clearTimeout(this.#retry)
    do {
      await this.#sendFirst()
    } while (!this.#error && this.#messages.length > 0)
    this.#isSending = false
    if (this.#error) this.#retry = setTimeout(() => this.flush(), RETRY_MS)
  }

  async #sendFirst() {
    const [message] = this.#messages
    if (!message) return
    let failure
    try {
      await this.#send(message)
    } catch (error) {
      failure = error
    }
    // It was cleared meanwhile.
    if (this.#messages[0] !== message) return
    // 404: the server has forgotten us. The channel logs in again.
    const isRefused = failure?.status >= 400 && failure.status < 500 && failure.status !== 404
    this.#error = isRefused ? undefined : failure
    if (!this.#error) this.#messages.shift()
    this.#tell()
    if (isRefused) this.#refused(message, failure)
  }

  #tell() {
    this.#changed([...this.#messages], this.#error)
  }
}

function randomKey() {
  return crypto.getRandomValues(new Uint32Array(4)).join('-')
}
