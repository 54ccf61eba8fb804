import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import type { SidePrograms } from './side.ts'

/** Those that the benchmark compares with. Not a part of the package, and so not always there. */

const PEERS = new URL('../../bench/peers/', import.meta.url)

/** Where Debian has it. */
const NCHAN = '/usr/lib/nginx/modules/ngx_nchan_module.so'
const NCHAN_PACKAGE = 'libnginx-mod-nchan'

/** A peer that is here. */
export interface Peer extends SidePrograms {
  /** What it is, and its version. */
  readonly version: string
}

/** A peer that may be here. */
interface Candidate extends SidePrograms {
  /** Nothing if it is not installed. */
  readonly version: string | undefined
  readonly install: string
}

const SOCKET_IO = ofNode('socket.io', 'socket-io-stream-server', 'socket-io-stream-load', 'socket.io')

const STREAMS: readonly Candidate[] = [
  ofNode('better-sse', 'better-sse-server', 'comet-stream-load'),
  ofNode('sockjs', 'sockjs-server', 'sockjs-stream-load'),
  ofNode('ws', 'ws-server', 'ws-stream-load'),
  SOCKET_IO,
  ofNode('faye', 'faye-server', 'faye-stream-load'),
  nchan('comet-stream-load'),
]

/** Of each benchmark that compares with peers. */
const CANDIDATES = {
  polls: [
    ofNode('socket.io polling', 'socket-io-poll-server', 'socket-io-poll-load', 'socket.io'),
    ofNode('sockjs', 'sockjs-server', 'sockjs-poll-load'),
    ofNode('faye', 'faye-server', 'faye-poll-load'),
    nchan('nchan-poll-load'),
  ],
  streams: STREAMS,
  bursts: STREAMS,
  storm: [
    ofNode('socket.io', 'socket-io-storm-server', 'socket-io-stream-load', 'socket.io'),
    nchan('comet-stream-load'),
  ],
  'redis-receiver': [ofNode('socket.io', 'socket-io-node', 'socket-io-stream-load', 'socket.io')],
} satisfies Record<string, readonly Candidate[]>

/** The peers of a benchmark that are here, and a line for each way to get those that are missing. */
export function peersOf(benchmark: keyof typeof CANDIDATES): {
  peers: readonly Peer[]
  missing: readonly string[]
} {
  const all: readonly Candidate[] = CANDIDATES[benchmark]
  const isMissing = ({ version }: Candidate): boolean => version === undefined
  const ways = new Set(all.filter(isMissing).map(({ install }) => install))
  const missing = [...ways].map((way) => {
    const names = all.filter((each) => isMissing(each) && each.install === way).map(({ name }) => name)
    return `Without ${names.join(', ')}: \`${way}\`.`
  })
  return { peers: all.filter((each): each is Candidate & Peer => !isMissing(each)), missing }
}

function ofNode(name: string, server: string, load: string, packageName = name): Candidate {
  return {
    name,
    server: new URL(`${server}.js`, PEERS),
    load: loadOf(load),
    version: versionOf(packageName),
    install: 'npm install --prefix bench/peers',
  }
}

function nchan(load: string): Candidate {
  return {
    name: 'Nchan',
    server: new URL('nchan-server.js', PEERS),
    load: loadOf(load),
    args: [NCHAN],
    version: nchanVersion(),
    install: `apt-get install ${NCHAN_PACKAGE}`,
  }
}

function loadOf(name: string): URL {
  return new URL(`./${name}.js`, import.meta.url)
}

function versionOf(packageName: string): string | undefined {
  const manifest = new URL(`node_modules/${packageName}/package.json`, PEERS)
  if (!existsSync(manifest)) return undefined
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }
  return `${packageName} ${version}`
}

function nchanVersion(): string | undefined {
  if (!existsSync(NCHAN)) return undefined
  const { stdout } = spawnSync('dpkg', ['-s', NCHAN_PACKAGE], { encoding: 'utf8' })
  return `Nchan ${/^Version: (?:\d+:)?([\d.]+)/m.exec(stdout ?? '')?.[1] ?? ''}`.trim()
}
