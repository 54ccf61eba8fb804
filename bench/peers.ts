import { existsSync } from 'node:fs'

/** Those that the benchmark compares with. Not a part of the package, and so not always there. */
export const PEERS = new URL('../../bench/peers/', import.meta.url)

export const hasPeers = existsSync(new URL('node_modules', PEERS))

export function sayIfWithoutPeers(): void {
  if (!hasPeers) console.log('Without socket.io, which is not installed: npm install --prefix bench/peers')
}
