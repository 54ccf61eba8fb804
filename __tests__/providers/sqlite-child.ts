/** The half of a child process: does what its parent asks for, and tells it what happens. */

export type Calls = Readonly<Record<string, (...parameters: never[]) => unknown>>

/** What the parent gave it to start with. */
export function given<T>(): T {
  return JSON.parse(process.argv[2]!)
}

/** As text: what the system parses is of another realm than the tests, and equals nothing of theirs. */
export function tell(message: object): void {
  process.send?.(JSON.stringify(message))
}

/** From now on the parent's calls are answered. The process ends with its parent. */
export function answer(calls: Calls): void {
  process.on('message', async (text: string) => {
    const { id, call, parameters } = JSON.parse(text) as { id: number; call: string; parameters: never[] }
    try {
      tell({ id, value: await calls[call]!(...parameters) })
    } catch (error) {
      tell({ id, error: error instanceof Error ? error.message : String(error) })
    }
  })
  process.on('disconnect', () => process.exit())
  tell({ heard: 'ready' })
}
