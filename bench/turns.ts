import { leaveServersCore } from './cores.ts'
import { withinDeadline } from './deadline.ts'
import type { OtherLoad } from './other-load.ts'
import type { Side } from './side.ts'

/** How often sides take turns. */
export interface Rounds {
  /** All processes are started anew so often: where one has its objects and its code differs from start to start. */
  readonly starts: number
  /** Of each start: until all code is compiled for good. */
  readonly warmUpRounds: number
  readonly rounds: number
}

/** How sides are measured that take turns. */
export interface Course<S extends Side> extends Rounds {
  /** Makes a side that is started ready. */
  readonly open: (side: S) => Promise<void>
  /** Measures a side once: a value for each measure. */
  readonly round: (side: S) => Promise<Readonly<Record<string, number>>>
}

export function noteOnRounds({ starts, warmUpRounds, rounds }: Rounds): string {
  const each = `${rounds} rounds after ${warmUpRounds} to warm up`
  return starts === 1 ? `Medians of ${each}.` : `Medians of ${starts} starts with ${each} each.`
}

/**
 * Measures sides in alternating rounds: what slows the machine down for a while slows all sides of a round.
 *
 * @param otherLoad notes what others do meanwhile
 */
export async function takeTurns<S extends Side>(
  sides: readonly S[],
  course: Course<S>,
  otherLoad: OtherLoad,
): Promise<void> {
  leaveServersCore()
  for (let start = 0; start < course.starts; start++) {
    try {
      await withinDeadline(measureOnce(sides, course, otherLoad))
    } finally {
      for (const side of sides) await side.stop()
    }
  }
}

async function measureOnce<S extends Side>(
  sides: readonly S[],
  { warmUpRounds, rounds, open, round }: Course<S>,
  otherLoad: OtherLoad,
): Promise<void> {
  for (const side of sides) {
    await side.start()
    await open(side)
  }
  for (let number = 0; number < warmUpRounds; number++) {
    for (const side of sides) await round(side)
  }
  for (let number = 0; number < rounds; number++) {
    await otherLoad.during(async () => {
      for (const side of sides) side.note(await round(side))
    })
  }
}
