import { NOTE_ON_CORES } from './cores.ts'
import { environment } from './environment.ts'
import { OtherLoad } from './other-load.ts'
import { peersOf } from './peers.ts'
import { COMET_STREAMS, RAW_STREAMS } from './programs.ts'
import { publish } from './publish.ts'
import { atMost, RAW, rowOf } from './result.ts'
import { TEXT } from './sends.ts'
import { Side } from './side.ts'
import { noteOnRounds, takeTurns } from './turns.ts'

/** What it costs the server that thousands of pages lose their streams, and come again for what they missed. */

const STREAMS = 5_000
const MISSED = 5
const ROUNDS = { starts: 4, warmUpRounds: 2, rounds: 5 }

/** Each page knows where it is when it has got a message. */
async function open(side: Side): Promise<void> {
  await side.open(await side.initialise(STREAMS))
  await side.broadcast({ count: 1, together: 1, text: TEXT })
}

async function round(side: Side): Promise<{ perClient: number }> {
  await side.drop()
  await side.broadcastUnheard({ count: MISSED, together: 1, text: TEXT })
  const cpu = await side.cpuOf(() => side.resume(MISSED))
  return { perClient: cpu / STREAMS }
}

await publish(async () => {
  const { peers, missing } = peersOf('storm')
  const sides = [COMET_STREAMS, RAW_STREAMS, ...peers].map((programs) => new Side(programs))
  const otherLoad = new OtherLoad()
  await takeTurns(sides, { ...ROUNDS, open, round }, otherLoad)
  const row = rowOf(sides, {
    measure: 'perClient',
    what: 'for each page',
    unit: 'µs',
    ratioTo: RAW,
    demands: [atMost(1.5)],
  })
  return {
    name: 'storm',
    title: '5,000 pages come again for 5 messages, server CPU',
    sides: sides.map(({ name }) => name),
    rows: [row],
    notes: [noteOnRounds(ROUNDS), NOTE_ON_CORES, ...otherLoad.notes(), ...missing],
    versions: [...environment('koa'), ...peers.map(({ version }) => version)],
  }
})
