/** Does one thing after another, in the order in which they are asked for. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0

  /** How many have not ended. */
  get length(): number {
    return this.#waiting
  }

  /** Resolves or rejects as the task does, once those before it have ended. */
  take<T>(task: () => Promise<T>): Promise<T> {
    this.#waiting += 1
    const turn = this.#last.then(task).finally(() => {
      this.#waiting -= 1
    })
    this.#last = turn.catch(() => {})
    return turn
  }

  /** Resolves when all that was asked for has ended. */
  async drained(): Promise<void> {
    await this.#last
  }
}
