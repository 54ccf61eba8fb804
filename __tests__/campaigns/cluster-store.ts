import type { ICometStateProvider, Retention } from '../../lib/comet-state-provider.ts'

/** Where the nodes of a cluster keep their channel. */
export type ClusterStore =
  | { readonly kind: 'sqlite'; readonly file: string }
  | { readonly kind: 'redis'; readonly url: string }

/** A page is not away for that long. */
export const RETENTION: Retention = { seconds: 300, messages: 1_000_000, bytes: 2 ** 28 }

/** Loads what the store needs, and no more: many processes do this. */
export async function createProvider(store: ClusterStore): Promise<ICometStateProvider> {
  if (store.kind === 'sqlite') {
    const { SqliteCometStateProvider } = await import('../../providers/sqlite/index.ts')
    return new SqliteCometStateProvider(store.file)
  }
  const { RedisCometStateProvider } = await import('../../providers/redis/index.ts')
  const { createClient } = await import('redis')
  return new RedisCometStateProvider(createClient({ url: store.url }))
}
