import { describe, expect, test } from '@jest/globals'
import {
  ANSWERED,
  CUT,
  choose,
  DOUBTFUL,
  ENDED,
  type Evidence,
  isProbeDue,
  NO_EVIDENCE,
  type Observation,
  ONLINE,
  OTHER,
  PASSED,
  REFUSED,
  type TransportName,
  weigh,
} from '../../client/transport-choice.ts'

const BOTH: readonly TransportName[] = ['streaming', 'long-polling']
const NOW_MS = 1_000_000
const MINUTE_MS = 60_000

function having(...observations: Observation[]): Evidence {
  return observations.reduce((evidence, each) => weigh(evidence, each, NOW_MS), NO_EVIDENCE)
}

const AVOIDED: readonly Observation[] = [DOUBTFUL, ANSWERED]

describe('which transport is used', () => {
  test.each<[TransportName, string, Observation[]]>([
    ['streaming', 'nothing', []],
    ['streaming', 'a poll that was answered', [ANSWERED]],
    ['streaming', 'one stream that was cut early: a server that restarts', [CUT]],
    ['streaming', 'two in a row: a server that is back at once, and restarts again', [CUT, CUT]],
    ['streaming', 'that, and then no connection, and as many more', [CUT, CUT, OTHER, CUT, CUT]],
    ['streaming', 'early cuts, a stream that ended on purpose, and early cuts', [CUT, CUT, ENDED, CUT, CUT]],
    ['streaming', 'a doubt, and a server that is down', [DOUBTFUL, OTHER]],
    ['long-polling', 'a doubt: a poll has to tell', [DOUBTFUL]],
    ['long-polling', 'a doubt, and a poll that was answered', [DOUBTFUL, ANSWERED]],
    ['long-polling', 'three early cuts in a row', [CUT, CUT, CUT]],
    ['long-polling', 'those, and a poll that was answered', [CUT, CUT, CUT, ANSWERED]],
    ['long-polling', 'evidence, and later failures', [...AVOIDED, OTHER, OTHER]],
    ['long-polling', 'evidence, and a probe that failed', [...AVOIDED, REFUSED]],
    ['long-polling', 'evidence, and a new network: a probe has to tell', [...AVOIDED, ONLINE]],
    ['streaming', 'evidence, and a probe that passed', [...AVOIDED, PASSED]],
  ])('is %s after %s', (transport, _what, observations) => {
    expect(choose(having(...observations), BOTH)).toBe(transport)
  })

  test.each<[TransportName, TransportName[]]>([
    ['streaming', ['streaming']],
    ['long-polling', ['long-polling']],
    ['long-polling', ['long-polling', 'streaming']],
  ])('is %s whatever speaks against it if only %j may be used, in that order', (transport, allowed) => {
    for (const evidence of [NO_EVIDENCE, having(DOUBTFUL), having(...AVOIDED)]) {
      expect(choose(evidence, allowed)).toBe(transport)
    }
  })
})

describe('for how long streams are avoided', () => {
  /** How many minutes later a probe is due. */
  function minutesUntilProbe(evidence: Evidence): number {
    for (let minutes = 0; minutes <= 100; minutes += 1) {
      if (isProbeDue(evidence, NOW_MS + minutes * MINUTE_MS)) return minutes
    }
    return Number.POSITIVE_INFINITY
  }

  test.each<[number, string, Observation[]]>([
    [5, 'evidence', [...AVOIDED]],
    [5, 'three early cuts', [CUT, CUT, CUT, ANSWERED]],
    [10, 'a probe that failed', [...AVOIDED, REFUSED]],
    [20, 'two probes that failed', [...AVOIDED, REFUSED, REFUSED]],
    [60, 'many probes that failed', [...AVOIDED, ...Array<Observation>(20).fill(REFUSED)]],
    [10, 'a probe that passed, and a stream that failed all the same', [...AVOIDED, PASSED, ...AVOIDED]],
    [
      5,
      'a probe that passed, a stream that ended on purpose, and new evidence',
      [...AVOIDED, PASSED, ENDED, ...AVOIDED],
    ],
    [0, 'a new network', [...AVOIDED, REFUSED, ONLINE]],
    [Number.POSITIVE_INFINITY, 'nothing: no probe is needed', [ANSWERED, ONLINE, OTHER]],
  ])('is %d minutes after %s', (minutes, _what, observations) => {
    expect(minutesUntilProbe(having(...observations))).toBe(minutes)
  })
})
