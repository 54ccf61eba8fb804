import type { Entry, SendOperation } from '../../lib/comet-state-provider.ts'
import { EVERYBODY } from '../../lib/topics.ts'

/** A message of a campaign: the number it was sent with, and the id it was given. */
export type Stored = readonly [number: number, id: number]

export const MESSAGE_NAME = 'Numbered'

/** Contents that tell the number, of another length for each: up to two pages of SQLite. */
export function contentsOf(number: number): string {
  const length = (number * 7919) % (number % 16 === 0 ? 8000 : 1200)
  return JSON.stringify(`${number}:${String.fromCharCode(97 + (number % 26)).repeat(length)}`)
}

/** The number that contents tell; NaN if they are not as they were sent. */
export function numberOf(contents: string): number {
  const number = Number.parseInt(contents.slice(1), 10)
  return contents === contentsOf(number) ? number : Number.NaN
}

export function sendNumbered(number: number): SendOperation {
  return {
    kind: 'send',
    name: MESSAGE_NAME,
    contents: contentsOf(number),
    topics: [EVERYBODY],
    except: [],
    key: String(number),
  }
}

/** The messages among the entries. */
export function messagesOf(entries: readonly Entry[]): Stored[] {
  return entries
    .filter((entry) => entry.kind === 'message')
    .map(({ contents, id }) => [numberOf(contents), id])
}
