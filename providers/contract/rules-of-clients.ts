import assert from 'node:assert/strict'
import { hashOf, initialise, remove, send } from './operations.ts'
import type { Rule } from './rule.ts'
import { eventually } from './waiting.ts'

export function rulesOfClients(rule: Rule): void {
  rule('A new client is stored as given, and starts at its initialise entry', async ({ open }) => {
    const node = await open()
    const operation = initialise('ann')
    const [done] = await node.append(operation)
    const { createdAt, lastSeenAt, ...client } = done!.client!
    const start = { epoch: done!.epoch, messageId: done!.id }
    assert.deepEqual(client, { ...operation.client, generation: done!.id, start })
    assert.ok(Number.isSafeInteger(createdAt) && lastSeenAt >= createdAt, 'times are whole milliseconds')
  })

  rule('Everything a client can have comes back exactly, from every provider', async ({ open }) => {
    const [here, there] = [await open(), await open()]
    const from = { epoch: here.listener.log.epoch, messageId: await here.appendOne(send()) }
    const client = {
      publicToken: 'Ünï ☃ 𝒳',
      displayName: '<b>"\'; --</b>',
      userId: 'u 1',
      sessionId: 's:1',
      groups: ['room 1', 'ö'],
      data: { list: [1, null, { deep: '☃' }], text: 'a\u0000b' },
      connectionTimeoutSeconds: 0.5,
      connectionIdleSeconds: 86_400.25,
    }
    const stored = await here.initialise(initialise('any', { client, privateTokenHash: hashOf('x'), from }))
    assert.deepEqual(stored.start, from)
    const { start, generation, createdAt, lastSeenAt, ...given } = stored
    assert.deepEqual(given, client)
    for (const node of [here, there]) assert.deepEqual((await node.record(hashOf('x'))).client, stored)
  })

  rule('What append resolved for is what any provider reads', async ({ open }) => {
    const [here, there] = [await open(), await open()]
    const { generation } = await here.initialise(initialise('ann'))
    assert.equal((await there.record(hashOf('ann'))).client.generation, generation)
    await there.append(remove('ann', generation))
    assert.equal(await here.provider.getClient(hashOf('ann')), undefined)
  })

  rule(
    'A record is read as of a position that is not below its generation nor beyond the log',
    async ({ open }) => {
      const [here, there] = [await open(), await open()]
      const { generation } = await here.initialise(initialise('ann'))
      assert.ok((await here.record(hashOf('ann'))).asOf >= generation)
      for (let round = 0; round < 20; round += 1) {
        const id = await there.appendOne(send())
        const { asOf } = await here.record(hashOf('ann'))
        assert.ok(generation <= asOf && asOf <= id, `as of ${asOf}, of ${generation} to ${id}`)
      }
    },
  )

  rule('A private token that nobody had leads to undefined', async ({ open }) => {
    const node = await open()
    await node.append(initialise('ann'))
    assert.equal(await node.provider.getClient(hashOf('eve')), undefined)
    assert.equal(await node.provider.getClient('ann'), undefined)
  })

  rule('Either token in use is refused, and nothing is stored', async ({ open }) => {
    const [here, there] = [await open(), await open()]
    const ann = await here.initialise(initialise('ann'))
    for (const node of [here, there]) {
      const refused = 'COMET_CLIENT_ALREADY_EXISTS'
      assert.equal(await node.refusal(initialise('ann')), refused)
      assert.equal(await node.refusal(initialise('ann', { privateTokenHash: hashOf('new') })), refused)
      assert.equal(await node.refusal(initialise('new', { privateTokenHash: hashOf('ann') })), refused)
      assert.equal((await node.told()).length, 1)
    }
    assert.deepEqual((await here.record(hashOf('ann'))).client, ann)
    assert.equal(await here.provider.getClient(hashOf('new')), undefined)
  })

  rule('Either token in use is refused within the same append', async ({ open }) => {
    const node = await open()
    const outcomes = await node.provider.append([
      initialise('ann'),
      initialise('ann', { privateTokenHash: hashOf('new') }),
      initialise('new', { privateTokenHash: hashOf('ann') }),
      initialise('bob'),
    ])
    const refused = outcomes.map((outcome) => 'refused' in outcome)
    assert.deepEqual(refused, [false, true, true, false])
  })

  rule('No more than maxClients exist', async ({ open }) => {
    const node = await open()
    const { generation } = await node.initialise(initialise('ann', { maxClients: 2 }))
    await node.append(initialise('bob', { maxClients: 2 }))
    assert.equal(await node.refusal(initialise('eve', { maxClients: 2 })), 'COMET_TOO_MANY_CLIENTS')
    await node.append(remove('ann', generation), initialise('eve', { maxClients: 2 }))
    assert.ok(await node.record(hashOf('eve')))
  })

  rule('A send to a receiver that does not exist is refused', async ({ open }) => {
    const node = await open()
    const toAnn = send('Chat', { topics: ['c:ann'], receiver: 'ann' })
    assert.equal(await node.refusal(toAnn), 'COMET_CLIENT_DOES_NOT_EXIST')
    const { generation } = await node.initialise(initialise('ann'))
    await node.append(toAnn, remove('ann', generation))
    assert.equal(await node.refusal(toAnn), 'COMET_CLIENT_DOES_NOT_EXIST')
    assert.equal((await node.told()).length, 3)
  })

  rule('All clients are listed', async ({ open }) => {
    const [here, there] = [await open(), await open()]
    const { generation } = await here.initialise(initialise('ann'))
    await here.append(initialise('bob'), initialise('eve'), remove('ann', generation))
    for (const node of [here, there]) {
      await eventually('getClients lists all', async () => (await node.listed()).join() === 'bob,eve')
    }
  })
}
