import { describe, expect, test } from '@jest/globals'
import type { ICometStateProvider } from '../../lib/comet-state-provider.ts'
import { MendsContents, SpeaksAfterClose } from './broken-feeds.ts'
import { ListensATurnAfterReset } from './broken-openings.ts'
import { createStorage, WITHOUT } from './broken-providers.ts'
import { ReadsThePositionATurnLater } from './broken-reads.ts'
import { GoesOnOpeningAfterClose } from './broken-under-failure.ts'
import { failureOf } from './collecting-runner.ts'

type Wrapper = new (inner: ICometStateProvider) => ICometStateProvider

/** What the suite says of a provider that breaks this rule. */
async function complaintOf(Provider: Wrapper, rule: string): Promise<string> {
  const failure = await failureOf({ create: () => createStorage(Provider), without: WITHOUT }, rule)
  return failure?.message ?? 'nothing'
}

describe('A rule that is broken says', () => {
  test('what the listener was called with after close', async () => {
    const late = await complaintOf(SpeaksAfterClose, 'Nothing reaches the listener of a closed provider')
    expect(late).toMatch(/^After close had resolved, the listener was still called: entries/)
    const opening = await complaintOf(
      GoesOnOpeningAfterClose,
      'When close comes while open is under way, both end, and the listener hears no more',
    )
    expect(opening).toMatch(
      /^After close had resolved, which came 0 turns after open, the listener was still called: reset/,
    )
  })

  test('which field of a message was changed, and where', async () => {
    const rule = 'Topics, exceptions, names and contents come back exactly'
    expect(await complaintOf(MendsContents, rule)).toBe(
      'the feed told the contents "1000", but "1e3" was sent (from character 0 on)',
    )
  })

  test('how many entries were lost, and where', async () => {
    const rule = 'A node that opens while others append is told each entry once'
    expect(await complaintOf(ListensATurnAfterReset, rule)).toMatch(
      /^Its reset had the head \d+, but neither reset nor feed told of \d+ entries that came while it opened, from \d+ to \d+$/,
    )
  })

  test('at which position a client was found, and at which it ended', async () => {
    const rule = 'A client that is removed as it is read is never answered as of its removal or later'
    expect(await complaintOf(ReadsThePositionATurnLater, rule)).toMatch(
      /^a client of \d+ was answered as of \d+, but ended at \d+ \((remove|stop)\)$/,
    )
  })
})
