/** A user who owns nothing. */
export const NOBODY = 65_534

export const isRoot = process.getuid?.() === 0

/** Does it as somebody who is not the files' owner: root may write to everything. */
export async function asAnother<T>(work: () => Promise<T>): Promise<T> {
  if (!isRoot) return work()
  process.seteuid!(NOBODY)
  try {
    return await work()
  } finally {
    process.seteuid!(0)
  }
}
