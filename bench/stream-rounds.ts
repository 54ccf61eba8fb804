import type { OtherLoad } from './other-load.ts'
import { passQuickAcks } from './quick-acks.ts'
import { TEXT } from './sends.ts'
import { Side, type SidePrograms } from './side.ts'
import { type Rounds, takeTurns } from './turns.ts'

/** What is sent to streams in each round, and how often. */
export interface StreamRounds extends Rounds {
  readonly streams: number
  readonly messages: number
  /** So many are sent in one turn of the event loop. */
  readonly together: number
}

/** The server's CPU time for a message to one stream of all. */
export const PER_DELIVERY = 'perDelivery'

/** The same for each of the first messages after a silence, which {@link passQuickAcks} speaks of. */
export const AFTER_SILENCE = 'afterSilence'

/** Measures messages to all streams. Resolves with the sides. */
export async function measureStreams(
  programs: readonly SidePrograms[],
  { streams, messages, together, ...rounds }: StreamRounds,
  otherLoad: OtherLoad,
): Promise<readonly Side[]> {
  const sides = programs.map((each) => new Side(each))
  const open = async (side: Side): Promise<void> => side.open(await side.initialise(streams))
  const round = async (side: Side): Promise<Record<string, number>> => {
    const first = await passQuickAcks(side)
    const cpu = await side.cpuOf(() => side.broadcast({ count: messages, together, text: TEXT }))
    return { [AFTER_SILENCE]: first / streams, [PER_DELIVERY]: cpu / (messages * streams) }
  }
  await takeTurns(sides, { ...rounds, open, round }, otherLoad)
  return sides
}
