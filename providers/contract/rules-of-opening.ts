import assert from 'node:assert/strict'
import { initialise, send } from './operations.ts'
import type { Rule } from './rule.ts'

export function rulesOfOpening(rule: Rule): void {
  rule('What a provider supports is said as data', async ({ open }) => {
    const { supports } = (await open()).provider
    assert.ok(['one', 'many'].includes(supports.processes), `processes: ${supports.processes}`)
    assert.equal(typeof supports.durable, 'boolean')
    assert.ok(supports.followDelayMs >= 0 && Number.isFinite(supports.followDelayMs))
    const { maxBatchBytes } = supports
    assert.ok(maxBatchBytes === undefined || (Number.isSafeInteger(maxBatchBytes) && maxBatchBytes > 0))
  })

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
    await other.append(send(), send())
    await other.provider.catchUp()
    await new Promise((resolve) => setTimeout(resolve, 2 * closed.provider.supports.followDelayMs + 1))
    assert.equal(closed.listener.calls, calls)
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

  rule(
    'When all were closed, a durable store goes on, and any other is a new life with ids above',
    async ({ open }) => {
      const before = await open()
      await before.append(initialise('ann'), send())
      const told = await before.told()
      await before.provider.close()
      const { provider, listener } = await open()
      if (provider.supports.durable || listener.log.epoch === before.listener.log.epoch) {
        assert.equal(listener.log.epoch, before.listener.log.epoch)
        assert.deepEqual(listener.log.entries, told)
      } else {
        assert.ok(
          listener.log.trimmedThrough >= before.listener.head,
          'ids start above those of the earlier life',
        )
      }
    },
  )

  rule('Channels of other names are other channels', async ({ open }) => {
    const [here, there] = [await open({ name: 'here' }), await open({ name: 'there' })]
    await here.append(initialise('ann'), send('Here'))
    await there.append(initialise('ann'), send('There'))
    const names = (await there.told()).map((entry) => (entry.kind === 'message' ? entry.name : entry.kind))
    assert.deepEqual(names, ['initialise', 'There'])
    assert.notEqual(here.listener.log.epoch, there.listener.log.epoch)
  })
}
