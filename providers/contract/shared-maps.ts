/** Maps that are never changed, only replaced, so that many models can share them. */

export const NOTHING: ReadonlyMap<never, never> = new Map<never, never>()

const texts = new WeakMap<ReadonlyMap<unknown, unknown>, string>()

export function withEntry<K, V>(map: ReadonlyMap<K, V>, key: K, value: V): ReadonlyMap<K, V> {
  return new Map(map).set(key, value)
}

export function without<K, V>(map: ReadonlyMap<K, V>, key: K): ReadonlyMap<K, V> {
  const rest = new Map(map)
  rest.delete(key)
  return rest
}

/** The same for maps that have the same, in whatever order. */
export function textOf(map: ReadonlyMap<unknown, unknown>): string {
  const known =
    texts.get(map) ??
    [...map]
      .map((entry) => JSON.stringify(entry))
      .sort()
      .join()
  texts.set(map, known)
  return known
}
