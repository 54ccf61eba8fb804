import { afterEach, expect, jest, test } from '@jest/globals'
import { ChannelEmitter } from '../../lib/channel-events.ts'
import { poll } from '../support/page.ts'
import { closeSites, openSite } from '../support/site.ts'
import { openNode } from '../support/two-nodes.ts'

afterEach(closeSites)

test('A listener of errors that is taken off in the turn of an error leaves a warning, and no crash', async () => {
  const events = new ChannelEmitter()
  const warning = jest.spyOn(process, 'emitWarning').mockImplementation(() => {})
  const off = events.on('error', () => {})
  events.emit('error', new Error('nobody hears this'))
  off()
  await new Promise(setImmediate)
  expect(warning).toHaveBeenCalledWith(expect.stringContaining('nobody hears this'))
  warning.mockRestore()
})

test('A stop of everybody ends what is held, and what comes afterwards', async () => {
  const { gate, url, newClient, holds } = await openNode()
  const { privateToken } = await newClient()
  const held = poll(url, privateToken)
  await holds(1)
  await gate.append([{ kind: 'stop', topics: ['*'], except: [] }])
  expect((await held).status).toBe(403)
  expect((await poll(url, privateToken)).status).toBe(403)
})

test('A time to close over that is none is refused, and the channel stays open', async () => {
  const { channel } = await openSite()
  expect(() => channel.close({ overSeconds: Number.POSITIVE_INFINITY })).toThrow(RangeError)
  expect(await channel.sendMessage('M', 1)).toBeGreaterThan(0)
})

test('What register gives as undefined leaves the default in place', async () => {
  const register = (): object => ({ publicToken: undefined, userId: undefined })
  const { url } = await openSite({ options: { identify: () => 'bob', register } })
  const response = await fetch(`${url}/register`, { method: 'POST' })
  const { privateToken } = (await response.json()) as { privateToken: string }
  expect(response.status).toBe(200)
  const answer = await poll(url, privateToken, { headers: { Prefer: 'wait=0' } })
  expect(answer.status).toBe(200)
})
