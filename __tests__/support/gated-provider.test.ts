import { describe, expect, test } from '@jest/globals'
import { describeCometStateProvider } from 'koa-comet/providers/contract'
import { InProcCometStateProvider, InProcStorage } from 'koa-comet/providers/in-proc'
import { hashOf, initialise, send } from '../../providers/contract/operations.ts'
import { AMPLE_RETENTION } from '../../providers/contract/provider-nodes.ts'
import { RecordingListener } from '../../providers/contract/recording-listener.ts'
import { GatedProvider } from './gated-provider.ts'

describeCometStateProvider('GatedProvider, untouched,', {
  create() {
    let nowMs = 0
    const storage = new InProcStorage(() => nowMs)
    return {
      createProvider: () => new GatedProvider(new InProcCometStateProvider({ storage })),
      advance(seconds) {
        nowMs += seconds * 1000
      },
      dispose: () => undefined,
    }
  },
  describe,
  test,
  without: ['crash', 'interruptions'],
  modelCheck: { steps: 1000 },
})

async function openGate(storage = new InProcStorage()) {
  const gate = new GatedProvider(new InProcCometStateProvider({ storage }))
  const listener = new RecordingListener()
  await gate.open('comet', listener, AMPLE_RETENTION)
  return { gate, listener }
}

function namesOf({ fed }: RecordingListener): string[] {
  return fed.map((entry) => (entry.kind === 'message' ? entry.name : entry.kind))
}

describe('GatedProvider', () => {
  test('A held feed tells the listener of nothing, and released entries come in order', async () => {
    const { gate, listener } = await openGate()
    gate.hold()
    await gate.append([send('One'), send('Two'), send('Three')])
    expect(namesOf(listener)).toEqual([])
    expect(gate.held).toBe(3)
    gate.release(1)
    await gate.append([send('Four')])
    expect(namesOf(listener)).toEqual(['One'])
    gate.release()
    await gate.append([send('Five')])
    expect(namesOf(listener)).toEqual(['One', 'Two', 'Three', 'Four', 'Five'])
    listener.assertSound()
  })

  test('One of two nodes over one store lags while the other does not', async () => {
    const storage = new InProcStorage()
    const [lagging, current] = [await openGate(storage), await openGate(storage)]
    lagging.gate.hold()
    await current.gate.append([send('One')])
    expect([namesOf(lagging.listener), namesOf(current.listener)]).toEqual([[], ['One']])
  })

  test('catchUp tells of what is held, and the feed stays held', async () => {
    const { gate, listener } = await openGate()
    gate.hold()
    await gate.append([send('One')])
    await gate.catchUp()
    await gate.append([send('Two')])
    expect(namesOf(listener)).toEqual(['One'])
  })

  test('A call that hangs goes on when it is let go', async () => {
    const { gate, listener } = await openGate()
    const letGo = gate.hangNext('append')
    const append = gate.append([send('One')])
    await gate.append([send('Two')])
    expect(namesOf(listener)).toEqual(['Two'])
    letGo()
    await append
    expect(namesOf(listener)).toEqual(['Two', 'One'])
  })

  test('An answer that hangs is as of when the store gave it', async () => {
    const { gate } = await openGate()
    const [done] = await gate.append([initialise('ann')])
    const letGo = gate.hangNext('getClient', { when: 'after' })
    const answer = gate.getClient(hashOf('ann'))
    await gate.append([send()])
    letGo()
    expect(await answer).toMatchObject({ asOf: done && 'id' in done && done.id })
  })

  test('A call that fails reaches the store only if asked to', async () => {
    const { gate, listener } = await openGate()
    gate.failNext('append')
    gate.failNext('append', { when: 'after', error: new Error('the answer was lost') })
    await expect(gate.append([send('One')])).rejects.toThrow('append was made to fail')
    await expect(gate.append([send('Two')])).rejects.toThrow('the answer was lost')
    await gate.append([send('Three')])
    expect(namesOf(listener)).toEqual(['Two', 'Three'])
  })

  test('A log that is lost goes on under a new epoch with ids above, and keeps its clients', async () => {
    const { gate, listener } = await openGate()
    const { epoch } = listener.log
    await gate.append([initialise('ann'), send('Lost')])
    const { head } = listener
    gate.loseLog('new-life')
    expect(listener.log).toEqual({ epoch: 'new-life', entries: [], head, trimmedThrough: head })
    const [sent, bob] = await gate.append([send('New'), initialise('bob')])
    expect(sent).toEqual({ epoch: 'new-life', id: head + 1 })
    expect(bob).toMatchObject({ client: { start: { epoch: 'new-life', messageId: head + 2 } } })
    expect(await gate.getClient(hashOf('ann'))).toMatchObject({ client: { start: { epoch } } })
    expect(namesOf(listener)).toEqual(['New', 'initialise'])
    listener.assertSound()
  })

  test('A store that is out of reach says so and answers nothing until it is back', async () => {
    const { gate, listener } = await openGate()
    const { calls } = listener
    gate.goAway()
    expect(listener.calls).toBe(calls + 1)
    await expect(gate.append([send()])).rejects.toThrow('out of reach')
    await expect(gate.catchUp()).rejects.toThrow('out of reach')
    gate.comeBack()
    expect(listener.calls).toBe(calls + 2)
    await gate.append([send('One')])
    expect(namesOf(listener)).toEqual(['One'])
  })
})
