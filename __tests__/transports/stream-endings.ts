import { eventually } from '../support/eventually.ts'
import { passSeconds } from '../support/fake-time.ts'
import { PAGE, type Streaming } from './streaming-site.ts'

/** A way in which a stream can end. */
export interface Ending {
  readonly name: string
  act(streaming: Streaming): unknown
  /** What happens when its reader reads, and Koa has unwound. */
  after?(streaming: Streaming): unknown
  /** How its body ends. */
  readonly ending: 'ended' | 'cut'
  /** What it is told. */
  readonly last?: object
  /** Whether it is asked by its last block to come again. */
  readonly comesAgain: boolean
  /** Whether it is told first what was sent before. */
  readonly tellsAll?: boolean
  /** How the request is answered if that happens before anything was written. Default 200. */
  readonly status?: number
  /** Whether its page can go on afterwards; then nothing is lost. */
  readonly goesOn: boolean
  /** What the channel tells the app, again and again. */
  readonly error?: string
  /** What is different if its reader stalls. */
  readonly ifStalled?: Pick<Ending, 'ending' | 'comesAgain' | 'goesOn'>
  /** Whether Koa has something to say about it if it has not unwound. */
  readonly spoils?: boolean
}

/** Every way in which a stream can end. */
export const ENDINGS: readonly Ending[] = [
  {
    name: 'its client is stopped',
    act: ({ channel, publicToken }) => channel.stopClient(publicToken),
    ending: 'ended',
    last: { n: 'aspNetComet.error', code: 'COMET_CLIENT_IS_STOPPED' },
    comesAgain: false,
    tellsAll: true,
    goesOn: false,
  },
  {
    name: 'its client is removed',
    act: ({ channel, privateToken }) => channel.killIdleCometClient(privateToken),
    ending: 'ended',
    last: { n: 'aspNetComet.error', code: 'COMET_TOKEN_IS_UNKNOWN' },
    comesAgain: false,
    tellsAll: true,
    goesOn: false,
  },
  {
    name: 'another page takes its client over',
    async act({ open, subscribed }) {
      open('page-2;new')
      await eventually(() => subscribed() === 2)
    },
    ending: 'ended',
    last: { n: 'aspNetComet.replaced', c: null },
    comesAgain: false,
    status: 204,
    goesOn: false,
  },
  {
    name: 'its own page asks anew',
    async act({ open, reader, subscribed }) {
      open(PAGE, reader.cursor)
      await eventually(() => subscribed() === 2)
    },
    ending: 'ended',
    last: { n: 'aspNetComet.replaced', c: 'own' },
    comesAgain: true,
    goesOn: true,
  },
  {
    name: 'the log is lost',
    act: ({ gate }) => gate.loseLog(),
    ending: 'ended',
    last: { n: 'aspNetComet.reset' },
    comesAgain: true,
    goesOn: false,
  },
  {
    name: 'it has had its time',
    act: () => passSeconds(600),
    after: passKeepAlives,
    ending: 'ended',
    comesAgain: true,
    goesOn: true,
    // Long before that it is cut off, and its client is removed.
    ifStalled: { ending: 'cut', comesAgain: false, goesOn: false },
  },
  {
    name: 'the store is out of reach',
    act: ({ gate }) => gate.goAway(),
    async after(streaming) {
      await passKeepAlives(streaming)
      streaming.gate.comeBack()
    },
    ending: 'ended',
    last: { n: 'aspNetComet.error', code: 'COMET_PROVIDER_IS_UNAVAILABLE' },
    comesAgain: true,
    goesOn: true,
    error: 'COMET_PROVIDER_IS_UNAVAILABLE',
  },
  {
    name: 'the channel closes',
    act: ({ channel }) => channel.close({ overSeconds: 0 }),
    ending: 'ended',
    comesAgain: true,
    goesOn: false,
  },
  {
    name: 'its page goes away',
    act: ({ reader }) => reader.close(),
    ending: 'cut',
    comesAgain: false,
    goesOn: true,
  },
  {
    name: 'its page ends its side of the connection',
    act: ({ reader }) => void reader.socket.end(),
    ending: 'cut',
    comesAgain: false,
    goesOn: true,
  },
  {
    name: 'another middleware destroys its response',
    act: ({ witness }) => witness.responses[0]!.destroy(),
    ending: 'cut',
    comesAgain: false,
    goesOn: true,
  },
  {
    name: 'another middleware ends its response',
    act: ({ witness }) => void witness.responses[0]!.end(),
    ending: 'ended',
    comesAgain: false,
    goesOn: true,
    spoils: true,
  },
]

/** Lets time pass until it has ended. One whose reader takes what was held up for it is told nothing else before. */
async function passKeepAlives({ reader }: Streaming): Promise<void> {
  for (let seconds = 0; seconds < 200 && reader.ending === undefined; seconds += 1) await passSeconds(1)
}
