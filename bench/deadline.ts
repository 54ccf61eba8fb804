/** All that is measured takes a minute or two: who stands still for this long has lost something. */
const DEADLINE_MS = 5 * 60_000

/** Rejects when the work has taken far too long. */
export async function withinDeadline<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('The benchmark stands still.')), DEADLINE_MS)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}
