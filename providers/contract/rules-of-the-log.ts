import assert from 'node:assert/strict'
import type { Entry, MessageEntry } from '../../lib/comet-state-provider.ts'
import { assertExact } from './assert-exact.ts'
import { hashOf, initialise, remove, send, stop } from './operations.ts'
import type { Rule } from './rule.ts'
import { eventually } from './waiting.ts'

export function rulesOfTheLog(rule: Rule): void {
  rule(
    'Ids rise strictly, and each entry is fed once, also to the provider that appends',
    async ({ open }) => {
      const node = await open()
      const ids: number[] = []
      for (let index = 0; index < 20; index += 1) ids.push(await node.appendOne(send(`Chat ${index}`)))
      assert.deepEqual(
        ids,
        ids.toSorted((a, b) => a - b),
      )
      assert.deepEqual(
        (await node.told()).map(({ id }) => id),
        ids,
      )
    },
  )

  rule('Several operations are done in order, with one outcome for each', async ({ open }) => {
    const node = await open()
    const generation = (await node.initialise(initialise('old'))).generation
    const operations = [send('One'), initialise('ann'), remove('old', generation), stop('ann'), send('Two')]
    const ids = (await node.append(...operations)).map(({ id }) => id)
    const [, ...told] = await node.told()
    assert.deepEqual(told, [
      messageOf(ids[0]!, 'One'),
      { kind: 'initialise', id: ids[1], publicToken: 'ann' },
      { kind: 'remove', id: ids[2], publicToken: 'old', generation },
      { kind: 'stop', id: ids[3], topics: ['c:ann'], except: [] },
      messageOf(ids[4]!, 'Two'),
    ])
  })

  rule('An outcome names the life of the log that gave its id', async ({ open }) => {
    const node = await open()
    const outcomes = await node.append(initialise('ann'), send(), stop('ann'), send('Chat', { key: 'k' }))
    for (const { epoch } of outcomes) assert.equal(epoch, node.listener.log.epoch)
  })

  rule(
    'A refusal is an outcome between the others: it stores nothing and feeds nothing',
    async ({ open }) => {
      const node = await open()
      const refused = 'COMET_CLIENT_DOES_NOT_EXIST'
      const outcomes = await node.provider.append([
        send('One'),
        send('Never', { receiver: 'nobody' }),
        remove('nobody', 1),
        send('Two'),
      ])
      assert.deepEqual([outcomes[1], outcomes[2]], [{ refused }, { refused }])
      const told = await node.told()
      assert.deepEqual(told.map(nameOf), ['One', 'Two'])
      assert.deepEqual((await open()).listener.log.entries, told)
    },
  )

  rule('An append of nothing answers with nothing', async ({ open }) => {
    const node = await open()
    assert.deepEqual(await node.provider.append([]), [])
    assert.deepEqual(await node.told(), [])
  })

  rule('What append resolved for has reached the listener when catchUp resolves', async ({ open }) => {
    const [appending, other] = [await open(), await open()]
    for (let round = 0; round < 20; round += 1) {
      const id = await appending.appendOne(send())
      await Promise.all([appending.provider.catchUp(), other.provider.catchUp()])
      assert.ok(appending.listener.head >= id, 'on the provider that appended it')
      assert.ok(other.listener.head >= id, 'on another provider of the store')
    }
  })

  rule('An entry reaches every provider without being asked for', async ({ open }) => {
    const [appending, other] = [await open(), await open()]
    const id = await appending.appendOne(send())
    await eventually('the appending provider is fed', () => appending.listener.head >= id)
    await eventually('the other provider is fed', () => other.listener.head >= id)
  })

  rule('An entry is fed only when it is stored: whoever reads then finds it', async ({ open }) => {
    const node = await open()
    const reads: Promise<unknown>[] = []
    node.listener.onEntries = (entries) => {
      for (const entry of entries) {
        if (entry.kind === 'initialise') reads.push(node.provider.getClient(hashOf(entry.publicToken)))
      }
    }
    await node.append(initialise('ann'))
    await node.append(initialise('bob'), initialise('eve'))
    await node.provider.catchUp()
    const found = await Promise.all(reads)
    assert.equal(found.length, 3)
    for (const record of found) assert.ok(record, 'the client of a fed initialise entry can be read')
  })

  rule('Topics, exceptions, names and contents come back exactly', async ({ open }) => {
    const [node, other] = [await open(), await open()]
    const topics = ['*', 'c:Ünï ☃ 𝒳', "c:o'neil", 'c:a:b', 'c:"%_\\']
    const except = ['c', 'Ünï ☃ 𝒳', ' ']
    const sends = PRECISE_CONTENTS.map((contents, index) =>
      send(`名 𝒳 '";-- ${index}`, { topics, except, contents }),
    )
    const outcomes = await node.append(...sends)
    const expected = sends.map(({ name, contents }, index): MessageEntry => {
      return { kind: 'message', id: outcomes[index]!.id, topics, except, name, contents }
    })
    assertExact('the feed', await other.told(), expected)
    assertExact('the window of a later node', (await open()).listener.log.entries, expected)
  })
}

/** JSON texts that a store might be tempted to change. */
const PRECISE_CONTENTS = [
  'null',
  '""',
  '1e3',
  '12345678901234567890',
  '{"b":1, "a":2,\n"b":3}',
  '"\\ud800 \\udfff a lone surrogate, escaped"',
  '"\\u0000 a NUL, escaped"',
  '"\u2028 ☃ 𝒳 \u007f"',
  `"${'x☃'.repeat(50_000)}"`,
]

function messageOf(id: number, name: string): Entry {
  return { kind: 'message', id, topics: ['*'], except: [], name, contents: '"hello"' }
}

function nameOf(entry: Entry): string {
  return entry.kind === 'message' ? entry.name : entry.kind
}
