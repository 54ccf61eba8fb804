import type { Stored } from './numbered.ts'
import type { Problem } from './problems.ts'

/**
 * Returns what is wrong with the messages that the handlers of a page were given.
 *
 * @param acknowledged the id of each message, in the order of their numbers, from 1 on
 */
export function checkReceived(received: readonly Stored[], acknowledged: readonly number[]): Problem[] {
  const problems: Problem[] = []
  const seen = new Set<number>()
  let [lastNumber, lastId] = [0, 0]
  for (const [number, id] of received) {
    if (seen.has(number)) problems.push({ kind: 'twice', text: `a handler got ${number} again` })
    else if (number < lastNumber || id <= lastId) {
      problems.push({
        kind: 'out of order',
        text: `${number} (id ${id}) came after ${lastNumber} (id ${lastId})`,
      })
    }
    const told = acknowledged[number - 1]
    if (told !== id)
      problems.push({ kind: 'reused', text: `${number} came as ${id}, was acknowledged as ${told}` })
    seen.add(number)
    lastNumber = number
    lastId = id
  }
  for (let number = 1; number <= acknowledged.length; number += 1) {
    if (!seen.has(number)) problems.push({ kind: 'lost', text: `no handler got ${number}` })
  }
  return problems
}
