import assert from 'node:assert/strict'
import { groupTopic } from '../../lib/topics.ts'
import { hashOf, initialiseAs, remove, stop, stopTopics } from './operations.ts'
import type { ProviderNode } from './provider-node.ts'
import type { Rule } from './rule.ts'
import { moments, repeat, turns } from './waiting.ts'

const ROUNDS = 20
const READERS_OF_A_NODE = 3

/** A record and its position are read as one, whenever the client ends. */
export function rulesOfReadingAmidRemovals(rule: Rule): void {
  rule(
    'A client that is removed as it is read is never answered as of its removal or later',
    async ({ open }) => {
      const nodes = [await open(), await open()]
      for (let round = 0; round < ROUNDS; round += 1) {
        const token = `ann-${round}`
        const { generation } = await nodes[0]!.initialise(initialiseAs(token, { groups: ['room'] }))
        const end = [remove(token, generation), stop(token), stopTopics([groupTopic('room')])][round % 3]!
        // So it begins before some of the readers do, with them, or after them.
        const ending = moments(Math.floor(round / 2)).then(() => nodes[0]!.appendOne(end))
        const [endedAt, ...positions] = await Promise.all([ending, ...positionsUntil(ending, nodes, token)])
        for (const asOf of positions.flat()) {
          const answered = `a client of ${generation} was answered as of ${asOf}`
          assert.ok(asOf >= generation, answered)
          assert.ok(asOf < endedAt, `${answered}, but ended at ${endedAt} (${end.kind})`)
        }
      }
    },
  )
}

/** Several read, each again and again, and answer with the positions at which they found the client. */
function positionsUntil(
  ending: Promise<unknown>,
  nodes: readonly ProviderNode[],
  token: string,
): Promise<number[]>[] {
  let hasEnded = false
  const noteEnd = () => {
    hasEnded = true
  }
  ending.then(noteEnd, noteEnd)
  const read = async ({ provider }: ProviderNode, reader: number): Promise<number[]> => {
    const positions: number[] = []
    await turns(reader)
    const readOnce = async () => {
      const found = await provider.getClient(hashOf(token))
      if (typeof found === 'object') positions.push(found.asOf)
    }
    await repeat(readOnce, () => !hasEnded)
    return positions
  }
  return nodes.flatMap((node) => Array.from({ length: READERS_OF_A_NODE }, (_, reader) => read(node, reader)))
}
