import assert from 'node:assert/strict'
import type { Entry, MessageEntry } from '../../lib/comet-state-provider.ts'

const FIELDS = ['name', 'contents', 'topics', 'except'] as const

/** How much is shown before the place where two texts differ, and in all. */
const SHOWN_BEFORE = 20
const SHOWN = 60

/**
 * Fails unless these entries are those messages, with the field that differs, and where.
 *
 * @param who told of the entries
 */
export function assertExact(who: string, entries: readonly Entry[], messages: readonly MessageEntry[]): void {
  for (const [index, message] of messages.entries()) {
    const entry = entries[index]
    if (entry?.kind !== 'message') continue
    for (const field of FIELDS) assertSame(`${who} told`, field, textOf(entry[field]), textOf(message[field]))
  }
  assert.deepEqual(entries, messages, `${who} told of other entries than were appended`)
}

function textOf(value: string | readonly string[]): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function assertSame(told: string, field: string, text: string, expected: string): void {
  if (text === expected) return
  let at = 0
  while (text[at] === expected[at]) at += 1
  const from = Math.max(0, at - SHOWN_BEFORE)
  const excerpt = (of: string) => JSON.stringify(of.slice(from, from + SHOWN))
  assert.fail(
    `${told} the ${field} ${excerpt(text)}, but ${excerpt(expected)} was sent (from character ${from} on)`,
  )
}
