import assert from 'node:assert/strict'
import type { Entry } from '../../lib/comet-state-provider.ts'
import { clientTopic } from '../../lib/topics.ts'
import { crashed, ignore } from './crashed.ts'
import { hashOf, initialise, renewal, send, stop } from './operations.ts'
import type { Rule } from './rule.ts'
import { turns } from './waiting.ts'

/** How many turns of the event loop after an append the crashes of a rule come: 0, 1, 2 … */
const MOMENTS = 6

/** What is left when a process dies in the middle of something. */
export function rulesOfCrashes(rule: Rule): void {
  rule('What was answered before a crash is there after it', async (nodes) => {
    const before = await nodes.open()
    const ann = await before.initialise(initialise('ann'))
    const [, , , keyed] = await before.append(
      initialise('bob'),
      initialise('eve'),
      stop('eve'),
      send('Keyed', { key: 'k' }),
    )
    const told = await before.told()
    await before.renew(renewal(ann))
    const last = await before.appendOne(send('Last'))
    const after = await crashed(nodes, before)
    if (!after) return
    assert.deepEqual(after.listener.told.slice(0, -1), told)
    assert.equal(after.listener.told.at(-1)!.id, last)
    assert.equal((await after.record(hashOf('ann'))).holder, 'page-1')
    assert.deepEqual(await after.listed(), ['ann', 'bob'])
    assert.equal(await after.provider.getClient(hashOf('eve')), 'stopped')
    assert.deepEqual(await after.append(send('Keyed', { key: 'k' })), [keyed])
  })

  rule(
    'Of an append that a crash cuts off, the first so many operations are done, each wholly',
    async (nodes) => {
      for (let moment = 0; moment < MOMENTS; moment += 1) {
        const node = await nodes.open()
        const names = [`first-${moment}`, `second-${moment}`, `third-${moment}`]
        const operations = names.flatMap((name) => [initialise(name), send(name, { key: name })])
        const before = (await node.told()).length
        ignore(node.provider.append([...operations, stop(names[0]!)]))
        await turns(moment)
        const after = await crashed(nodes, node)
        if (!after) return
        const added = after.listener.told.slice(before)
        const expected = [...names.flatMap((name) => [name, name]), clientTopic(names[0]!)]
        assert.deepEqual(added.map(aboutWhom), expected.slice(0, added.length))
        for (const [index, name] of names.entries()) {
          const isStopped = index === 0 && added.length === expected.length
          const found = await after.provider.getClient(hashOf(name))
          if (isStopped) assert.equal(found, 'stopped')
          else assert.equal(typeof found === 'object', added.length > 2 * index, `the client ${name}`)
          const again = await after.appendOne(send(name, { key: name }))
          const stored: Entry | undefined = added[2 * index + 1]
          if (stored) assert.equal(again, stored.id, 'a key is stored with its message')
          else assert.ok(again > after.listener.log.head, 'a key without its message is not known')
        }
        await after.provider.close()
      }
    },
  )

  rule('After a crash ids are above all that were given', async (nodes) => {
    let highest = 0
    for (let moment = 0; moment < MOMENTS; moment += 1) {
      const node = await nodes.open()
      const id = await node.appendOne(send())
      assert.ok(id > highest, `${id} was given after ${highest}`)
      ignore(node.provider.append([send(), send()]))
      await turns(moment)
      highest = Math.max(id, node.listener.head)
      await nodes.crash(node)
    }
  })

  rule('A crash of one node does not disturb another', async (nodes) => {
    const other = await nodes.open()
    await other.sweep()
    const ann = await other.initialise(initialise('ann'))
    for (let moment = 0; moment < MOMENTS; moment += 1) {
      const node = await nodes.open()
      for (const call of [
        node.provider.append([send(), initialise(`client-${moment}`)]),
        node.provider.renewLeases([renewal(ann)]),
        node.provider.removeExpired(),
      ]) {
        ignore(call)
      }
      await turns(moment)
      await nodes.crash(node)
      const id = await other.appendOne(send('After'))
      assert.equal((await other.told()).at(-1)!.id, id)
      assert.equal(await other.renew(renewal(ann)), 'kept')
      assert.deepEqual(await other.sweep(), [])
    }
    assert.deepEqual((await nodes.open()).listener.log.entries, await other.told())
  })
}

function aboutWhom(entry: Entry): string {
  if (entry.kind === 'message') return entry.name
  if (entry.kind === 'stop') return entry.topics.join()
  return 'client' in entry ? entry.client.publicToken : entry.publicToken
}
