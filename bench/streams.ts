import { NOTE_ON_CORES } from './cores.ts'
import { environment } from './environment.ts'
import { OtherLoad } from './other-load.ts'
import { peersOf } from './peers.ts'
import { COMET_STREAMS, RAW_STREAMS } from './programs.ts'
import { publish } from './publish.ts'
import { atMost, below, RAW, rowOf } from './result.ts'
import { AFTER_SILENCE, measureStreams, PER_DELIVERY } from './stream-rounds.ts'
import { noteOnRounds } from './turns.ts'

/** What a message to thousands of streams costs the server, when it comes alone. */

const SOME = { streams: 1_000, messages: 15, together: 1, starts: 3, warmUpRounds: 2, rounds: 5 }
const MANY = { streams: 5_000, messages: 4, together: 1, starts: 1, warmUpRounds: 1, rounds: 5 }

await publish(async () => {
  const { peers, missing } = peersOf('streams')
  const programs = [COMET_STREAMS, RAW_STREAMS, ...peers]
  const otherLoad = new OtherLoad()
  const atSome = await measureStreams(programs, SOME, otherLoad)
  const atMany = await measureStreams(programs, MANY, otherLoad)
  const order = { measure: PER_DELIVERY, unit: 'µs', ratioTo: RAW }
  const afterSilence = { ...order, measure: AFTER_SILENCE }
  return {
    name: 'streams',
    title: 'Streams, server CPU of a message to all',
    sides: programs.map(({ name }) => name),
    rows: [
      rowOf(atSome, {
        ...order,
        what: 'at 1,000, for each stream',
        demands: [atMost(0.75), below('ws', 'Nchan')],
      }),
      rowOf(atSome, { ...afterSilence, what: 'the same, after a silence' }),
      rowOf(atMany, { ...order, what: 'at 5,000, for each stream' }),
    ],
    notes: [
      `At 1,000: ${noteOnRounds(SOME)} At 5,000: ${noteOnRounds(MANY)}`,
      NOTE_ON_CORES,
      ...otherLoad.notes(),
      ...missing,
    ],
    versions: [...environment('koa'), ...peers.map(({ version }) => version)],
  }
})
