import assert from 'node:assert/strict'
import { hashOf, initialise, renewal, send } from './operations.ts'
import type { ProviderNode } from './provider-node.ts'
import type { Rule } from './rule.ts'
import { turns } from './waiting.ts'

export function rulesOfOpening(rule: Rule): void {
  rule('Before open resolves, reset comes once and first', async ({ open }) => {
    const { listener } = await open()
    assert.equal(listener.calls, 1)
    assert.deepEqual(listener.log.entries, [], 'the window of a fresh store is empty')
    assert.equal(listener.log.head, listener.log.trimmedThrough)
  })

  rule('A later provider begins with the retained window', async ({ open }) => {
    const first = await open()
    await first.append(initialise('ann'), send('One'), send('Two'))
    const told = await first.told()
    const { log } = (await open()).listener
    assert.deepEqual(log.entries, told)
    assert.equal(log.epoch, first.listener.log.epoch)
    assert.equal(log.head, told.at(-1)!.id)
  })

  rule('What follows a reset has ids above its head', async ({ open }) => {
    const first = await open()
    await first.append(send())
    const second = await open()
    const { head } = second.listener.log
    assert.ok((await second.appendOne(send())) > head)
  })

  rule('Nothing reaches the listener of a closed provider', async ({ open }) => {
    const [closed, other] = [await open(), await open()]
    await closed.append(send())
    await closed.provider.close()
    const { calls } = closed.listener
    await appendUnseen(other)
    closed.listener.assertSilentSince(calls, 'After close had resolved')
  })

  rule(
    'When close comes while open is under way, both end, and the listener hears no more',
    async ({ create, open, reopen, settled }) => {
      const other = await open()
      for (let round = 0; round < 5; round += 1) {
        const closed = await create()
        const opening = settled('open', reopen(closed))
        await turns(round)
        let calls = -1
        const closing = closed.provider.close().then(() => {
          calls = closed.listener.calls
        })
        assert.equal((await settled('close', closing)).status, 'fulfilled')
        await opening
        await appendUnseen(other)
        const when = `After close had resolved, which came ${round} turns after open`
        closed.listener.assertSilentSince(calls, when)
      }
    },
  )

  rule('When close comes while calls are under way, all end', async ({ open, settled }) => {
    const other = await open()
    for (let round = 0; round < 5; round += 1) {
      const { provider } = await open()
      const ann = await other.initialise(initialise(`ann-${round}`))
      const calls = [
        settled('append', provider.append([send(`Round ${round}`)])),
        settled('getClient', provider.getClient(hashOf(ann.publicToken))),
        settled('renewLeases', provider.renewLeases([renewal(ann)])),
        settled('removeExpired', provider.removeExpired()),
        settled('catchUp', provider.catchUp()),
      ] as const
      await turns(round)
      assert.equal((await settled('close', provider.close())).status, 'fulfilled')
      const [append] = await Promise.all(calls)
      const told = (await other.told()).filter(
        (entry) => entry.kind === 'message' && entry.name === `Round ${round}`,
      )
      if (append.status === 'fulfilled') assert.equal(told.length, 1, 'what append resolved for is there')
      else assert.ok(told.length <= 1)
    }
  })

  rule('A provider that was closed can be opened again', async ({ open, reopen }) => {
    const [again, other] = [await open(), await open()]
    for (let round = 0; round < 3; round += 1) {
      await again.provider.close()
      await other.append(send('Meanwhile'))
      await reopen(again)
      await again.append(send('After'))
      assert.deepEqual(await again.told(), await other.told())
    }
  })

  rule('To close a second time is harmless', async ({ open }) => {
    const [closed, other] = [await open(), await open()]
    await closed.provider.close()
    await closed.provider.close()
    assert.equal((await other.append(send())).length, 1)
  })

  rule('A provider that opens again goes on with what the store has', async ({ open }) => {
    const [leaving, staying] = [await open(), await open()]
    await leaving.append(initialise('ann'), send('Before'))
    await leaving.provider.close()
    await staying.append(send('Meanwhile'))
    const back = await open()
    await back.append(send('After'))
    assert.deepEqual(await back.told(), await staying.told())
  })

  rule('Channels of other names are other channels', async ({ open }) => {
    const [here, there] = [await open({ name: 'here' }), await open({ name: 'there' })]
    await here.append(initialise('ann'), send('Here'))
    await there.append(initialise('ann'), send('There'))
    const names = (await there.told()).map((entry) => (entry.kind === 'message' ? entry.name : entry.kind))
    assert.deepEqual(names, ['initialise', 'There'])
    assert.notEqual(here.listener.log.epoch, there.listener.log.epoch)
  })
}

/** Appends when another node must not be told of it, and waits for as long as that could take. */
async function appendUnseen(node: ProviderNode): Promise<void> {
  await node.append(send(), send())
  await node.provider.catchUp()
  await new Promise((resolve) => setTimeout(resolve, 2 * node.provider.supports.followDelayMs + 1))
}
