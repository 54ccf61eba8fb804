import { expect, test } from '@jest/globals'
import { ClientLease, unknownToken } from '../../lib/subscribe/client-lease.ts'
import { WaitList } from '../../lib/subscribe/wait-list.ts'
import type { Transport } from '../../lib/subscribe/wait-request.ts'
import { logOf, NO_LIMIT } from '../support/log-entries.ts'

const TRANSPORT: Transport = { maxReadBytes: NO_LIMIT, replaceAfterMs: 0, tell: () => false }

function leaseOf(publicToken: string): ClientLease {
  const client = {
    publicToken,
    displayName: '',
    groups: [],
    data: null,
    createdAt: 0,
    lastSeenAt: 0,
    generation: 1,
    start: { epoch: 'e1', messageId: 1 },
    connectionTimeoutSeconds: 30,
    connectionIdleSeconds: 60,
  }
  return new ClientLease({ client, memberships: [], asOf: 1 }, publicToken, 'e1')
}

test.each(['first', 'last'])(
  'What one is told who has ended is not told others who read the same: asked %s',
  (order) => {
    const list = new WaitList({
      log: logOf([1, 2, 3]),
      leases: { wake() {}, rouse() {} },
      trouble: undefined,
    })
    const [gone, ann, bob] = [leaseOf('gone'), leaseOf('ann'), leaseOf('bob')]
    gone.finish(unknownToken())
    const leases = order === 'first' ? [gone, ann, bob] : [ann, gone, bob]
    const at = { epoch: 'e1', messageId: 3 }
    const told = leases.map((lease) => [lease, list.outcomeFor(lease, at, TRANSPORT).outcome?.kind] as const)
    expect(new Map(told)).toEqual(
      new Map([
        [gone, 'stopped'],
        [ann, undefined],
        [bob, undefined],
      ]),
    )
  },
)
