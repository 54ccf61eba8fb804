import { describe, expect, test } from '@jest/globals'
import { checkHistory, type Segment } from './faults-check.ts'

const ADDRESSED = [11, 12, 14, 17]

const whole = (...received: number[]): Segment => ({ isClean: true, received })
const afterCrash = (...received: number[]): Segment => ({ isClean: false, received })

function kindsIn(segments: readonly Segment[], isWhole = true): string[] {
  return checkHistory({ who: 'ann', segments, isWhole }, ADDRESSED).map(({ kind }) => kind)
}

describe('What a page was given is as promised', () => {
  test.each<[what: string, segments: readonly Segment[]]>([
    ['when it is all, in order', [whole(11, 12, 14, 17)]],
    ['when it is spread over lives of the page', [whole(11), whole(), whole(12, 14), whole(17)]],
    ['when a page after a crash is given some of it again', [whole(11, 12), afterCrash(12, 14), whole(17)]],
    ['when it came twice, to pages that crashed', [afterCrash(11, 12), afterCrash(11, 12, 14, 17)]],
  ])('%s', (_what, segments) => {
    expect(kindsIn(segments)).toEqual([])
  })

  test('when its end is missing, of a client that was removed', () => {
    expect(kindsIn([whole(11, 12)], false)).toEqual([])
    expect(kindsIn([], false)).toEqual([])
  })
})

describe('The check of what a page was given notices', () => {
  test.each<[what: string, segments: readonly Segment[], kinds: readonly string[]]>([
    ['a message that did not come', [whole(11, 14, 17)], ['lost']],
    ['that the last did not come', [whole(11, 12, 14)], ['lost']],
    ['that nothing came', [], ['lost', 'lost', 'lost', 'lost']],
    ['a gap between two lives', [whole(11), whole(14, 17)], ['lost']],
    ['a gap after a crash', [whole(11), afterCrash(14, 17)], ['lost']],
    ['a message that came again', [whole(11, 12, 12, 14, 17)], ['twice']],
    ['a message that came again later', [whole(11, 12, 14, 11, 17)], ['twice']],
    [
      'a message that came again though the page had written it down',
      [whole(11, 12), whole(12, 14, 17)],
      ['twice'],
    ],
    ['that a page after a crash was given something twice', [afterCrash(11, 12, 11, 14, 17)], ['twice']],
    ['another order', [whole(11, 14, 12, 17)], ['lost', 'out of order']],
    ['a message for somebody else', [whole(11, 12, 13, 14, 17)], ['client']],
  ])('%s', (_what, segments, kinds) => {
    expect(kindsIn(segments)).toEqual(kinds)
  })

  test('a gap within what a removed client was given', () => {
    expect(kindsIn([whole(11, 14)], false)).toEqual(['lost'])
  })
})
