import type { ServerResponse } from 'node:http'

/** Counts how many streams a server ends, and how many of them in one turn of the event loop. */
export class StreamEnds {
  /** Since the last `clear()`. */
  count = 0
  mostAtOnce = 0
  #atOnce = 0

  clear(): void {
    this.count = this.mostAtOnce = 0
  }

  /** Takes note when this one is ended. */
  watch(response: ServerResponse): void {
    const end = response.end.bind(response)
    response.end = ((...last: Parameters<typeof end>) => {
      this.#note()
      return end(...last)
    }) as typeof response.end
  }

  #note(): void {
    if (this.#atOnce === 0)
      setImmediate(() => {
        this.#atOnce = 0
      })
    this.count += 1
    this.#atOnce += 1
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#atOnce)
  }
}
