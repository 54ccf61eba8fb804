import { expect, test } from '@jest/globals'
import {
  CONNECTION_STATES,
  type ConnectionEvent,
  type ConnectionState,
} from '../../client/connection-states.ts'

const EXPECTED: Record<ConnectionState, Record<ConnectionEvent, ConnectionState>> = {
  disconnected: {
    subscribed: 'connecting',
    answered: 'disconnected',
    failed: 'disconnected',
    lost: 'disconnected',
    ended: 'disconnected',
  },
  connecting: {
    subscribed: 'connecting',
    answered: 'connected',
    failed: 'reconnecting',
    lost: 'connecting',
    ended: 'disconnected',
  },
  connected: {
    subscribed: 'connected',
    answered: 'connected',
    failed: 'reconnecting',
    lost: 'reconnecting',
    ended: 'disconnected',
  },
  reconnecting: {
    subscribed: 'reconnecting',
    answered: 'connected',
    failed: 'reconnecting',
    lost: 'reconnecting',
    ended: 'disconnected',
  },
}

const cells = Object.entries(EXPECTED).flatMap(([state, row]) =>
  Object.entries(row).map(
    ([event, next]) => [state, event, next] as [ConnectionState, ConnectionEvent, ConnectionState],
  ),
)

test.each(cells)('%s, when %s, is %s', (state, event, next) => {
  expect(CONNECTION_STATES[event][state] ?? state).toBe(next)
})

test('the table names no event that is not tested', () => {
  expect(Object.keys(CONNECTION_STATES).sort()).toEqual(Object.keys(EXPECTED.connected).sort())
})
