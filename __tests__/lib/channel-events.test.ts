import { describe, expect, jest, test } from '@jest/globals'
import { ChannelEmitter } from '../../lib/channel-events.ts'
import type { CometClient } from '../../lib/comet-client.ts'

const ANN = { publicToken: 'ann' } as CometClient

async function turns(count = 5): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise(setImmediate)
}

/** What the process is warned of while `act` runs. */
async function warningsOf(act: () => unknown): Promise<unknown[]> {
  const emitWarning = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
  try {
    act()
    await turns()
    return emitWarning.mock.calls.map(([warning]) => warning)
  } finally {
    emitWarning.mockRestore()
  }
}

test('Listeners are told after the work, in the order of the events and of their adding', async () => {
  const events = new ChannelEmitter()
  const told: string[] = []
  events.on('clientSubscribed', () => told.push('subscribed, first'))
  events.on('clientSubscribed', () => told.push('subscribed, second'))
  events.on('clientResumed', () => told.push('resumed'))
  events.emit('clientSubscribed', ANN)
  events.emit('clientResumed', ANN)
  expect(told).toEqual([])
  await turns()
  expect(told).toEqual(['subscribed, first', 'subscribed, second', 'resumed'])
})

test('A listener is told what the event carries, until it is taken off', async () => {
  const events = new ChannelEmitter()
  const told: unknown[][] = []
  const off = events.on('clientDisconnected', (...detail) => told.push(detail))
  events.emit('clientDisconnected', ANN, { reason: 'idle' })
  await turns()
  off()
  events.emit('clientDisconnected', ANN, { reason: 'goodbye' })
  await turns()
  expect(told).toEqual([[ANN, { reason: 'idle' }]])
})

describe('A listener that fails', () => {
  test('by throwing is reported as error, and the others are told', async () => {
    const events = new ChannelEmitter()
    const [errors, told]: [unknown[], unknown[]] = [[], []]
    const thrown = new Error('in the listener')
    events.on('error', (error) => errors.push(error))
    events.on('clientInitialized', () => {
      throw thrown
    })
    events.on('clientInitialized', (client) => told.push(client))
    events.emit('clientInitialized', ANN)
    await turns()
    expect([errors, told]).toEqual([[thrown], [ANN]])
  })

  test('by rejecting is reported as error', async () => {
    const events = new ChannelEmitter()
    const errors: unknown[] = []
    events.on('error', (error) => errors.push(error))
    events.on('clientInitialized', () => Promise.reject(new Error('later')))
    events.emit('clientInitialized', ANN)
    await turns()
    expect(errors).toEqual([new Error('later')])
  })

  test('of error itself becomes a warning and no circle', async () => {
    const events = new ChannelEmitter()
    let calls = 0
    events.on('error', () => {
      calls += 1
      throw new Error('in the listener of error')
    })
    const warnings = await warningsOf(() => events.emit('error', new Error('first')))
    expect(warnings).toEqual([expect.stringContaining('in the listener of error')])
    expect(calls).toBe(1)
  })
})

describe('An error without a listener', () => {
  test('becomes a warning of the process, and throws nowhere', async () => {
    const warnings = await warningsOf(() =>
      new ChannelEmitter().emit('error', new Error('the store is gone')),
    )
    expect(warnings).toEqual([expect.stringContaining('the store is gone')])
  })

  test('that is no Error becomes one as well', async () => {
    expect(await warningsOf(() => new ChannelEmitter().emit('error', 'a text'))).toEqual(['a text'])
  })
})
