import { NOTE_ON_CORES } from './cores.ts'
import { environment } from './environment.ts'
import { OtherLoad } from './other-load.ts'
import { peersOf } from './peers.ts'
import { ATTACHED_POLLS, COMET_POLLS, KOA_POLLS, RAW_POLLS } from './programs.ts'
import { publish } from './publish.ts'
import { atMost, attachedAtMost, below, RAW, rowOf } from './result.ts'
import { TEXT } from './sends.ts'
import { Side } from './side.ts'
import { noteOnRounds, takeTurns } from './turns.ts'
import { warmUp } from './warm-up.ts'

/** What a message costs the server that a thousand pages poll, one to all of them and one to each. */

const POLLS = 1_000
/** Of all pages, in each round. */
const BROADCASTS = 3
const UNICASTS = 3_000
const ROUNDS = { starts: 3, warmUpRounds: 4, rounds: 4 }

const SOCKET_IO = 'socket.io polling'

async function round(side: Side): Promise<Readonly<Record<string, number>>> {
  const toAll = await side.spentOn(async () => {
    // Each when the one before has come, and all poll again: so each poll is answered by one message.
    for (let sent = 0; sent < BROADCASTS; sent++) {
      await side.broadcast({ count: 1, together: 1, text: TEXT })
    }
  })
  const toOne = await side.spentOn(() => side.unicast({ count: UNICASTS, text: TEXT }))
  return {
    broadcast: toAll.cpu / (BROADCASTS * POLLS),
    broadcastGarbage: toAll.garbage / (BROADCASTS * POLLS),
    unicast: toOne.cpu / UNICASTS,
    unicastGarbage: toOne.garbage / UNICASTS,
  }
}

await publish(async () => {
  const { peers, missing } = peersOf('polls')
  const sides = [COMET_POLLS, ATTACHED_POLLS, RAW_POLLS, KOA_POLLS, ...peers].map(
    (programs) => new Side(programs),
  )
  const otherLoad = new OtherLoad()
  const open = async (side: Side): Promise<void> => {
    await warmUp(side)
    await side.open(await side.initialise(POLLS))
  }
  await takeTurns(sides, { ...ROUNDS, open, round }, otherLoad)
  const unit = 'µs'
  return {
    name: 'polls',
    title: `${POLLS.toLocaleString('en')} polls, server CPU of a message`,
    sides: sides.map(({ name }) => name),
    rows: [
      rowOf(sides, {
        measure: 'broadcast',
        what: 'to all, for each page',
        unit,
        ratioTo: RAW,
        demands: [atMost(1.45), below(SOCKET_IO), attachedAtMost(1.05)],
      }),
      rowOf(sides, { measure: 'broadcastGarbage', what: 'of it pauses for garbage', unit }),
      rowOf(sides, {
        measure: 'unicast',
        what: 'to one',
        unit,
        ratioTo: RAW,
        demands: [atMost(1.7), below(SOCKET_IO), attachedAtMost(1.05)],
      }),
      rowOf(sides, { measure: 'unicastGarbage', what: 'of it pauses for garbage', unit }),
    ],
    notes: [noteOnRounds(ROUNDS), NOTE_ON_CORES, ...otherLoad.notes(), ...missing],
    versions: [...environment('koa'), ...peers.map(({ version }) => version)],
  }
})
