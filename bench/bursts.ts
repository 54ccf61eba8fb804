import { NOTE_ON_CORES } from './cores.ts'
import { environment } from './environment.ts'
import { OtherLoad } from './other-load.ts'
import { peersOf } from './peers.ts'
import { COMET_STREAMS, RAW_STREAMS } from './programs.ts'
import { publish } from './publish.ts'
import { atMost, RAW, rowOf } from './result.ts'
import { measureStreams, PER_DELIVERY } from './stream-rounds.ts'
import { noteOnRounds } from './turns.ts'

/** What a message to a thousand streams costs the server, when eight come in one turn of its event loop. */

const ROUNDS = { streams: 1_000, messages: 40, together: 8, starts: 3, warmUpRounds: 2, rounds: 5 }

await publish(async () => {
  const { peers, missing } = peersOf('bursts')
  const programs = [COMET_STREAMS, RAW_STREAMS, ...peers]
  const otherLoad = new OtherLoad()
  const sides = await measureStreams(programs, ROUNDS, otherLoad)
  const row = rowOf(sides, {
    measure: PER_DELIVERY,
    what: 'for each message and stream',
    unit: 'µs',
    ratioTo: RAW,
    demands: [atMost(0.55)],
  })
  return {
    name: 'bursts',
    title: '8 messages at once to 1,000 streams, server CPU',
    sides: programs.map(({ name }) => name),
    rows: [row],
    notes: [noteOnRounds(ROUNDS), NOTE_ON_CORES, ...otherLoad.notes(), ...missing],
    versions: [...environment('koa'), ...peers.map(({ version }) => version)],
  }
})
