import { execFileSync } from 'node:child_process'
import type { SqliteStore } from './sqlite-store.ts'

/** Only root can make a disk. Without, the tests that need one are skipped. */
export const canMakeDisk = process.getuid?.() === 0

/** Puts the store's folder on a disk of its own, of that size, while `work` is done, which may mount it otherwise. */
export async function withDisk(
  store: SqliteStore,
  size: string,
  work: (remount: (options: string) => void) => Promise<void>,
): Promise<void> {
  const mount = (options: string): void => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', store.folder])
  }
  mount(`size=${size}`)
  try {
    await work((options) => mount(`remount,${options}`))
  } finally {
    await store.closeAll()
    execFileSync('umount', [store.folder])
  }
}
