/** So many connect at a time: more would be more than the server's backlog. */
const CONNECTED_AT_ONCE = 250

/**
 * A closed connection keeps its port for a minute, and the more of an address's ports are taken, the longer a free one is
 * looked for: with 8 addresses a storm of 5,000 pages stood still for seconds at times.
 */
const LOCAL_ADDRESSES = Array.from({ length: 250 }, (_, index) => `127.0.0.${index + 2}`)

/** The pages that a load is asked to open. */
export interface Pages {
  readonly port: number
  /** One for each page. */
  readonly privateTokens: readonly string[]
}

/** Where a page comes from, and to. */
export interface PagePlace {
  readonly port: number
  readonly localAddress: string
  readonly privateToken: string
}

/** Opens pages, some at a time. Resolves when all are connected. */
export async function openPages<P>(
  { port, privateTokens }: Pages,
  open: (place: PagePlace, index: number) => Promise<P>,
): Promise<P[]> {
  const opened: P[] = []
  for (let first = 0; first < privateTokens.length; first += CONNECTED_AT_ONCE) {
    const batch = privateTokens.slice(first, first + CONNECTED_AT_ONCE).map((privateToken, offset) => {
      const index = first + offset
      const localAddress = LOCAL_ADDRESSES[index % LOCAL_ADDRESSES.length]!
      return open({ port, localAddress, privateToken }, index)
    })
    opened.push(...(await Promise.all(batch)))
  }
  return opened
}
