import assert from 'node:assert/strict'
import { MAX_CLAIMS_PER_CLIENT } from '../../lib/comet-claim.ts'
import { claim, hashOf, initialise, remove, reply, stop } from './operations.ts'
import type { Rule } from './rule.ts'

/** How many come with one call. */
const BATCH = 8

/** Keys of what clients send, so that no repetition runs a handler again. */
export function rulesOfClaims(rule: Rule): void {
  rule('The first run to claim a key has it, and others are told that it runs', async ({ open }) => {
    const [here, there] = [await open(), await open()]
    const ann = await here.initialise(initialise('ann'))
    assert.deepEqual(await here.claim(claim(ann, 'k', 'run 1')), ['claimed'])
    for (const node of [there, here]) {
      assert.deepEqual(await node.claim(claim(ann, 'k', 'run 2'), claim(ann, 'k', 'run 3')), [
        'running',
        'running',
      ])
    }
  })

  rule('A run that asks again is answered as if it had not asked', async ({ open }) => {
    const [here, there] = [await open(), await open()]
    const ann = await here.initialise(initialise('ann'))
    for (const node of [here, there, here])
      assert.deepEqual(await node.claim(claim(ann, 'k', 'run 1')), ['claimed'])
    assert.deepEqual(await there.claim(claim(ann, 'k', 'run 2')), ['running'])
  })

  rule('Several claims are answered in order, each after those before it', async ({ open }) => {
    const node = await open()
    const [ann, bob] = [await node.initialise(initialise('ann')), await node.initialise(initialise('bob'))]
    const nobody = { publicToken: 'nobody', generation: ann.generation }
    const claims = [
      claim(ann, 'k', 'run 1'),
      claim(nobody, 'k', 'run 1'),
      claim(ann, 'k', 'run 2'),
      claim(bob, 'k', 'run 2'),
      claim(ann, 'other', 'run 1'),
      claim(ann, 'k', 'run 1'),
    ]
    assert.deepEqual(await node.claim(...claims), [
      'claimed',
      'gone',
      'running',
      'claimed',
      'claimed',
      'claimed',
    ])
    assert.deepEqual(await node.claim(), [])
  })

  rule('What a run came to is answered to every other, exactly', async ({ open }) => {
    const [here, there] = [await open(), await open()]
    const ann = await here.initialise(initialise('ann'))
    const replies = ['null', '1e3', '{ "b": 1, "a": "☃ \\u0000 \'" }', `"${'x'.repeat(10_000)}"`]
    const runs = replies.map((_, index) => claim(ann, `key ${index}`, `run ${index}`))
    await here.claim(...runs)
    await there.provider.settle(runs.map((run, index) => reply(run, replies[index]!)))
    for (const node of [here, there]) {
      const others = runs.map((run) => ({ ...run, run: 'other' }))
      const expected = replies.map((each) => ({ reply: each }))
      assert.deepEqual(await node.claim(...others), expected)
      assert.deepEqual(await node.claim(...others), expected, 'again and again')
    }
  })

  rule('Only the run that claimed a key can say what it came to', async ({ open }) => {
    const [here, there] = [await open(), await open()]
    const ann = await here.initialise(initialise('ann'))
    const [mine, other] = [claim(ann, 'k', 'run 1'), claim(ann, 'k', 'run 2')]
    await here.claim(mine)
    for (const { provider } of [here, there]) {
      await provider.settle([reply(other, '"of another"'), reply({ ...mine, key: 'K' }, '"of no claim"')])
    }
    assert.deepEqual(await here.claim(other, claim(ann, 'K', 'run 2')), ['running', 'claimed'])
    await here.provider.settle([reply(mine, '"mine"')])
    await there.provider.settle([reply(other, '"late, of another"')])
    for (const node of [here, there]) assert.deepEqual(await node.claim(other), [{ reply: '"mine"' }])
  })

  rule('A run whose time is over without a reply is never followed by another', async ({ open, pass }) => {
    const [here, there] = [await open(), await open()]
    const ann = await here.initialise(initialise('ann'))
    const mine = claim(ann, 'k', 'run 1', { runSeconds: 1 })
    await here.claim(mine)
    await pass(2)
    for (const node of [here, there, here])
      assert.deepEqual(await node.claim(claim(ann, 'k', 'run 2')), ['unknown'])
    await there.provider.settle([reply(mine, '"late"')])
    const outcome = await here.claim(claim(ann, 'k', 'run 3'))
    assert.deepEqual(outcome, [{ reply: '"late"' }], 'what it came to is recorded however late')
  })

  rule('A key is of one client alone, and of one bearer of its token', async ({ open }) => {
    const [here, there] = [await open(), await open()]
    const [old, bob] = [await here.initialise(initialise('ann')), await here.initialise(initialise('bob'))]
    await here.claim(claim(old, 'k', 'run 1'))
    await here.provider.settle([reply(claim(old, 'k', 'run 1'), '"of ann"')])
    assert.deepEqual(await there.claim(claim(bob, 'k', 'run 2')), ['claimed'])
    await here.append(remove('ann', old.generation))
    assert.deepEqual(await there.claim(claim(old, 'k', 'run 3')), ['gone'])
    const ann = await here.initialise(initialise('ann'))
    assert.deepEqual(
      await there.claim(claim(old, 'k', 'run 3')),
      ['gone'],
      'and stays so when the token is used again',
    )
    assert.deepEqual(await there.claim(claim(ann, 'k', 'run 4')), ['claimed'])
    await here.provider.settle([reply(claim(old, 'k', 'run 4'), '"late, of the old ann"')])
    assert.deepEqual(await here.claim(claim(ann, 'k', 'run 5')), ['running'])
    await here.append(stop('ann'))
    assert.deepEqual(await there.claim(claim(ann, 'k', 'run 6')), ['gone'])
    await here.provider.settle([reply(claim(ann, 'k', 'run 4'), '"of nobody any more"')])
    assert.deepEqual(await there.claim(claim(bob, 'k', 'run 7')), ['running'])
  })

  rule('Keys and runs are data', async ({ open }) => {
    const [here, there] = [await open(), await open()]
    const ann = await here.initialise(initialise('ann'))
    const names = ['k', 'K', 'k ', 'k%', "o'hara", '0', '00', '__proto__', 'é', 'e\u0301', 'x'.repeat(128)]
    const outcomes = await here.claim(...names.map((name) => claim(ann, name, name)))
    assert.deepEqual(
      outcomes,
      names.map(() => 'claimed'),
    )
    const runs = names.map((name, index) => claim(ann, name, names[(index + 1) % names.length]!))
    assert.deepEqual(
      await there.claim(...runs),
      names.map(() => 'running'),
    )
  })

  rule('A claim neither adds to the log nor says that its client was seen', async ({ open, passMoment }) => {
    const [here, there] = [await open(), await open()]
    const ann = await here.initialise(initialise('ann'))
    await passMoment(10)
    await there.claim(claim(ann, 'k', 'run 1'))
    await there.provider.settle([reply(claim(ann, 'k', 'run 1'), '1')])
    assert.deepEqual((await here.record(hashOf('ann'))).client, ann)
    assert.equal((await here.told()).length, 1)
  })

  rule('A claim is known for its seconds', async ({ open, pass, passAlmost }) => {
    const [here, there] = [await open(), await open()]
    await here.sweep()
    const ann = await here.initialise(initialise('ann'))
    const known = { seconds: 4, runSeconds: 1 }
    const [settled, unsettled] = [
      claim(ann, 'settled', 'run 1', known),
      claim(ann, 'unsettled', 'run 1', known),
    ]
    await here.claim(settled, unsettled)
    await pass(1)
    await here.provider.settle([reply(settled, '"done"')])
    await passAlmost(3)
    await here.sweep()
    const again = [settled, unsettled].map((each) => ({ ...each, run: 'run 2' }))
    assert.deepEqual(await there.claim(...again), [{ reply: '"done"' }, 'unknown'])
  })

  rule(
    `The newest ${MAX_CLAIMS_PER_CLIENT} claims of a client are known, however many others have`,
    async (nodes) => {
      const [here, there] = [await nodes.open(), await nodes.open()]
      const [ann, bob] = [await here.initialise(initialise('ann')), await here.initialise(initialise('bob'))]
      const keys: string[] = []
      await here.claim(claim(bob, 'first', 'run 1'))
      while (keys.length < 2 * MAX_CLAIMS_PER_CLIENT) {
        const some = Array.from({ length: BATCH }, (_, index) => `key ${keys.length + index}`)
        await here.claim(...some.map((key) => claim(ann, key, 'run 1')))
        keys.push(...some)
      }
      const newest = keys.slice(-MAX_CLAIMS_PER_CLIENT)
      await here.sweep()
      await here.provider.settle(newest.map((key) => reply(claim(ann, key, 'run 1'), JSON.stringify(key))))
      const outcomes = await there.claim(...newest.map((key) => claim(ann, key, 'run 2')))
      assert.deepEqual(
        outcomes,
        newest.map((key) => ({ reply: JSON.stringify(key) })),
      )
      assert.deepEqual(await there.claim(claim(bob, 'first', 'run 2')), ['running'])
    },
  )

  rule('Of two nodes that claim a key at once, one alone has it', async ({ open }) => {
    const nodes = [await open(), await open()]
    const ann = await nodes[0]!.initialise(initialise('ann'))
    for (let round = 0; round < 10; round += 1) {
      const claims = nodes.map((node, index) => node.claim(claim(ann, `key ${round}`, `run ${index}`)))
      assert.deepEqual((await Promise.all(claims)).flat().toSorted(), ['claimed', 'running'])
    }
  })

  rule('A claim and the removal of its client at once leave no claim behind', async ({ open }) => {
    const [here, there] = [await open(), await open()]
    for (let round = 0; round < 10; round += 1) {
      const ann = await here.initialise(initialise('ann'))
      const mine = claim(ann, 'k', `run ${round}`)
      const [outcomes] = await Promise.all([there.claim(mine), here.append(remove('ann', ann.generation))])
      assert.ok(['claimed', 'gone'].includes(String(outcomes[0])), `it was answered ${outcomes[0]}`)
      assert.deepEqual(await there.claim(mine), ['gone'])
    }
  })
}
