import { expect, test } from '@jest/globals'
import {
  ANSWERED,
  type ConnectionEvent,
  type ConnectionState,
  ENDED,
  FAILED,
  LOST,
  SUBSCRIBED,
} from '../../client/connection-states.ts'

const EVENTS: Readonly<Record<string, ConnectionEvent>> = { SUBSCRIBED, ANSWERED, FAILED, LOST, ENDED }

type EventName = 'SUBSCRIBED' | 'ANSWERED' | 'FAILED' | 'LOST' | 'ENDED'

const EXPECTED: Record<ConnectionState, Record<EventName, ConnectionState>> = {
  disconnected: {
    SUBSCRIBED: 'connecting',
    ANSWERED: 'disconnected',
    FAILED: 'disconnected',
    LOST: 'disconnected',
    ENDED: 'disconnected',
  },
  connecting: {
    SUBSCRIBED: 'connecting',
    ANSWERED: 'connected',
    FAILED: 'reconnecting',
    LOST: 'connecting',
    ENDED: 'disconnected',
  },
  connected: {
    SUBSCRIBED: 'connected',
    ANSWERED: 'connected',
    FAILED: 'reconnecting',
    LOST: 'reconnecting',
    ENDED: 'disconnected',
  },
  reconnecting: {
    SUBSCRIBED: 'reconnecting',
    ANSWERED: 'connected',
    FAILED: 'reconnecting',
    LOST: 'reconnecting',
    ENDED: 'disconnected',
  },
}

const cells = Object.entries(EXPECTED).flatMap(([state, row]) =>
  Object.entries(row).map(
    ([event, next]) => [state, event, next] as [ConnectionState, EventName, ConnectionState],
  ),
)

test.each(cells)('%s, when %s, is %s', (state, event, next) => {
  expect(EVENTS[event]![state] ?? state).toBe(next)
})
