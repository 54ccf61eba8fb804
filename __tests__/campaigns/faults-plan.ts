import type { SeededRandom } from '../../providers/contract/seeded-random.ts'
import { type Cut, FAULT_KINDS, type Fault, type FaultKind } from '../support/fault-proxy/fault.ts'

/** How often something befalls a request: of a hundred. */
const STREAMS_PERCENT = 98
const POLLS_PERCENT = 70

const LONGEST_DELAY_MS = 300
const MOST_BYTES_OF_STREAM = 10_000
const MOST_BYTES_OF_ANSWER = 1500

const CUTS: readonly Cut[] = ['end', 'reset']
const ANSWERS = ['first', 'second'] as const

type Shares = Readonly<Record<FaultKind, number>>

/** Streams get through some faults, and go on; those are rarer. */
const OF_STREAMS: Shares = {
  cut: 70,
  drop: 8,
  refuse: 8,
  duplicate: 4,
  'late request': 2,
  'half-open': 3,
  buffer: 1,
  slice: 2,
  'late answer': 2,
}

/** A poll that hears nothing is given up after its full time and more. */
const OF_POLLS: Shares = {
  cut: 20,
  drop: 20,
  refuse: 12,
  duplicate: 20,
  'late request': 10,
  'half-open': 1,
  buffer: 2,
  slice: 10,
  'late answer': 5,
}

/** Draws what befalls a request. */
export function drawFault(random: SeededRandom, request: string): Fault | undefined {
  const isStream = /^accept: *text\/event-stream/im.test(request)
  if (!random.chance(isStream ? STREAMS_PERCENT : POLLS_PERCENT)) return undefined
  const kind = drawKind(random, isStream ? OF_STREAMS : OF_POLLS)
  return drawFaultOf(random, kind, isStream ? MOST_BYTES_OF_STREAM : MOST_BYTES_OF_ANSWER)
}

function drawKind(random: SeededRandom, shares: Shares): FaultKind {
  let left = random.below(Object.values(shares).reduce((sum, share) => sum + share, 0))
  return FAULT_KINDS.find((kind) => {
    left -= shares[kind]
    return left < 0
  })!
}

function drawFaultOf(random: SeededRandom, kind: FaultKind, mostBytes: number): Fault {
  switch (kind) {
    case 'refuse':
      return { kind }
    case 'late request':
    case 'late answer':
      return { kind, ms: random.below(LONGEST_DELAY_MS) }
    case 'drop':
      return { kind, by: random.pick(CUTS) }
    case 'cut':
      return { kind, by: random.pick(CUTS), afterBytes: random.below(mostBytes) }
    case 'half-open':
      return { kind, afterBytes: random.below(mostBytes) }
    case 'buffer':
      return { kind, bytes: random.below(4 * mostBytes) }
    case 'slice':
      return { kind, bytes: 1 + random.below(40), pieces: 1 + random.below(200) }
    case 'duplicate':
      return { kind, afterMs: random.below(LONGEST_DELAY_MS), answer: random.pick(ANSWERS) }
  }
}
