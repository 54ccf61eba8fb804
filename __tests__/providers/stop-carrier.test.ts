import { expect, test } from '@jest/globals'
import type { CometClient } from 'koa-comet'
import { StopCarrier } from '../../providers/shared/stop-carrier.ts'

/** A stop of so many clients, of whom each step removes one. */
function stopOf(count: number) {
  let left = count
  const clients = Array.from({ length: count }, (_, index) => ({ publicToken: `${index}` }) as CometClient)
  const carrier = new StopCarrier(
    async () => (left > 0 ? [{ id: 7, place: `${count - left}` }] : []),
    async () => {
      left -= 1
      return { stopped: [clients[count - left - 1]!], more: left > 0 }
    },
  )
  return { carrier, left: () => left }
}

test('A stop is carried out as far as there is time, and the rest taken over: each client is named once', async () => {
  const { carrier, left } = stopOf(5)
  const first: CometClient[] = []
  await carrier.finish(7, first, performance.now())
  expect([first.length, left()]).toEqual([0, 5])
  const rest: CometClient[] = []
  await carrier.takeOver(rest)
  expect([...first, ...rest].map(({ publicToken }) => publicToken)).toEqual(['0', '1', '2', '3', '4'])
  expect(left()).toBe(0)
})
