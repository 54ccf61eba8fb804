import { describe, expect, test } from '@jest/globals'
import type { CometClient } from '../../lib/comet-client.ts'
import type { Entry, Operation, Outcome } from '../../lib/comet-state-provider.ts'
import { claimAct, operationAct, renewalAct } from '../../providers/contract/acts.ts'
import { stopActs, sweepActs } from '../../providers/contract/acts-of-removal.ts'
import { type Act, explanations } from '../../providers/contract/explanations.ts'
import { Model } from '../../providers/contract/model.ts'
import {
  claim,
  hashOf,
  initialise,
  initialiseAs,
  join,
  leave,
  remove,
  renewal,
  send,
  stopTopics,
} from '../../providers/contract/operations.ts'

const AT = { node: 0, epoch: 'epoch' }
const ann = { publicToken: 'ann', generation: 1 }
const toAnn = send('Chat', { topics: ['c:ann'], receiver: 'ann' })
const removal: Entry = { kind: 'remove', id: 2, ...ann }
const messageOf = (id: number): Entry => {
  return { kind: 'message', id, topics: ['c:ann'], except: [], name: 'Chat', contents: '"hello"' }
}

/** A store that has the client ann, whose lease ends in `seconds`. */
function withAnn(seconds = 60): Model {
  const model = new Model()
  model.apply(initialise('ann', { leaseSeconds: seconds }), [{ id: 1 }], 0)
  return model
}

function done(id: number, more: Partial<Outcome> = {}): Outcome {
  return { id, epoch: AT.epoch, ...more }
}

/** The same, and she has joined the group room. */
function withAnnInARoom(): Model {
  const model = withAnn()
  model.apply(join('ann', 'room'), [{ id: 2 }], 0)
  return model
}

/** As the store tells of ann when she is in these groups. */
function annIn(...groups: string[]): CometClient {
  const { client } = initialiseAs('ann', { groups })
  return { ...client, createdAt: 0, lastSeenAt: 0, generation: 1, start: { epoch: AT.epoch, messageId: 1 } }
}

const changeOf = (kind: 'join' | 'leave', id: number, group: string): Entry => {
  return { kind, id, generation: 1, client: { publicToken: 'ann', displayName: 'ANN', data: null }, group }
}

const answered = (...acts: Act[]) => ({ acts, isComplete: true })
const unanswered = (...acts: Act[]) => ({ acts, isComplete: false })

describe('Explanations', () => {
  test('a send and a removal at once are explained by the order of their ids', () => {
    const calls = [
      answered(operationAct(toAnn, done(2), AT)),
      answered(operationAct(remove('ann', 1), done(3, { client: annIn() }), AT)),
    ]
    expect(explanations([withAnn()], calls, [messageOf(2), { ...removal, id: 3 }])).toHaveLength(1)
  })

  test('a send that was given an id after the removal of its receiver is not explained', () => {
    const calls = [
      answered(operationAct(toAnn, done(3), AT)),
      answered(operationAct(remove('ann', 1), done(2, { client: annIn() }), AT)),
    ]
    expect(explanations([withAnn()], calls, [removal, messageOf(3)])).toEqual([])
  })

  test('a refusal is explained by an order in which it holds', () => {
    const refused: Outcome = { refused: 'COMET_CLIENT_DOES_NOT_EXIST' }
    const send = answered(operationAct(toAnn, refused, AT))
    const removing = answered(operationAct(remove('ann', 1), done(2, { client: annIn() }), AT))
    expect(explanations([withAnn()], [send, removing], [removal])).toHaveLength(1)
    expect(explanations([withAnn()], [send], [])).toEqual([])
  })

  test('an entry that nobody appended is not explained, nor one that is missing', () => {
    expect(explanations([withAnn()], [], [messageOf(2)])).toEqual([])
    expect(explanations([withAnn()], [answered(operationAct(toAnn, done(2), AT))], [])).toEqual([])
  })

  test('a call that was not answered did the first so many of its operations', () => {
    const call = unanswered(operationAct(toAnn, undefined, AT), operationAct(remove('ann', 1), undefined, AT))
    expect(explanations([withAnn()], [call], [])).toHaveLength(1)
    expect(explanations([withAnn()], [call], [messageOf(2)])).toHaveLength(1)
    expect(explanations([withAnn()], [call], [messageOf(2), { ...removal, id: 3 }])).toHaveLength(1)
    expect(explanations([withAnn()], [call], [removal])).toEqual([])
  })

  test('two pages that take a lease at once leave it open which has it', () => {
    const calls = ['page-1', 'page-2'].map((holder) => {
      return answered(renewalAct(renewal(ann, { holder, take: true }), 'kept'))
    })
    expect(explanations([withAnn()], calls, [])).toHaveLength(2)
  })

  test('two pages that are both given a free lease are not explained', () => {
    const calls = ['page-1', 'page-2'].map((holder) => answered(renewalAct(renewal(ann, { holder }), 'kept')))
    expect(explanations([withAnn()], calls, [])).toEqual([])
  })

  test('a sweep leaves nobody whose lease has ended', () => {
    const model = withAnn(1.5)
    model.pass(2)
    expect(explanations([model], [answered(...sweepActs([], []))], [])).toEqual([])
    const renewing = answered(renewalAct(renewal(ann), 'kept'))
    expect(explanations([model], [answered(...sweepActs([], [])), renewing], [])).toHaveLength(1)
  })

  test('a new client comes with a join entry for each of its groups, and with nothing in between', () => {
    const coming: Operation = initialiseAs('ann', { groups: ['a', 'b'] })
    const call = answered(operationAct(coming, done(1, { client: annIn('a', 'b') }), AT))
    const sending = answered(operationAct(send('Chat', { topics: ['c:ann'] }), done(3), AT))
    const initialised: Entry = { kind: 'initialise', id: 1, publicToken: 'ann' }
    const [a, b] = [changeOf('join', 2, 'a'), changeOf('join', 4, 'b')]
    expect(explanations([new Model()], [call], [initialised, a, b])).toHaveLength(1)
    expect(explanations([new Model()], [call], [initialised, b, a])).toEqual([])
    expect(explanations([new Model()], [call], [initialised, a])).toEqual([])
    expect(explanations([new Model()], [call, sending], [initialised, a, messageOf(3), b])).toEqual([])
  })

  test('who is removed leaves its groups first, with nothing in between', () => {
    const model = withAnnInARoom()
    const removing = answered(operationAct(remove('ann', 1), done(4, { client: annIn('room') }), AT))
    const end: Entry = { ...removal, id: 4 }
    expect(explanations([model], [removing], [changeOf('leave', 3, 'room'), end])).toHaveLength(1)
    expect(explanations([model], [removing], [end])).toEqual([])
    const sending = answered(operationAct(send('Chat', { topics: ['c:ann'] }), done(3), AT))
    const entries = [changeOf('leave', 2, 'room'), messageOf(3), end]
    expect(explanations([model], [removing, sending], entries)).toEqual([])
  })

  test('a stop is carried out in steps, and others come between; but not what is to come after it', () => {
    const model = withAnnInARoom()
    const stopping = stopTopics(['g:room'])
    const entry: Entry = { kind: 'stop', id: 3, topics: ['g:room'], except: [] }
    const entries = [entry, messageOf(4), changeOf('leave', 5, 'room')]
    const stops = stopActs(stopping, done(3, { stopped: [annIn('room')] }), AT, entries)
    const sends = operationAct(send('Chat', { topics: ['c:ann'] }), done(4), AT)
    expect(explanations([model], [answered(...stops), answered(sends)], entries)).toHaveLength(1)
    expect(explanations([model], [answered(...stops, sends)], entries)).toEqual([])
    expect(explanations([model], [answered(...stops), answered(sends)], entries.slice(0, 2))).toEqual([])
  })

  test('a stop names all whom it has hit, and nobody else', () => {
    const model = withAnnInARoom()
    const entries: Entry[] = [
      { kind: 'stop', id: 3, topics: ['*'], except: [] },
      changeOf('leave', 4, 'room'),
    ]
    const explained = (stopped: CometClient[]) => {
      const stops = stopActs(stopTopics(['*']), done(3, { stopped }), AT, entries)
      return explanations([model], [answered(...stops)], entries).length
    }
    expect(explained([annIn('room')])).toBe(1)
    expect(explained([])).toBe(0)
    expect(explained([annIn()])).toBe(0)
    expect(explained([annIn('room'), { ...annIn(), publicToken: 'bob', generation: 9 }])).toBe(0)
  })

  test('what a dead node has left of a stop a sweep carries out, and tells of', () => {
    const stopping = stopTopics(['g:room'])
    const entry: Entry = { kind: 'stop', id: 3, topics: ['g:room'], except: [] }
    const [left] = explanations(
      [withAnnInARoom()],
      [unanswered(...stopActs(stopping, undefined, AT, [entry]))],
      [entry],
    )
    expect(left!.clientOf(hashOf('ann'))).toBe('stopped')
    left!.abandonStops()
    const leaves = [changeOf('leave', 4, 'room')]
    const sweep = (reason: 'idle' | 'stopped', added: Entry[]) => {
      return explanations(
        [left!],
        [answered(...sweepActs([{ client: annIn('room'), reason }], added))],
        added,
      ).length
    }
    expect(sweep('stopped', leaves)).toBe(1)
    expect(sweep('idle', leaves)).toBe(0)
    expect(sweep('stopped', [])).toBe(0)
    expect(explanations([left!], [answered(...sweepActs([], leaves))], leaves)).toEqual([])
  })

  test('a join and a leave at once are explained by one order, of which each answer is', () => {
    const model = withAnn()
    const entries = [changeOf('join', 2, 'room'), changeOf('leave', 3, 'room')]
    const joining = answered(operationAct(join('ann', 'room'), done(2, { client: annIn('room') }), AT))
    const leaving = (outcome: Outcome) => answered(operationAct(leave('ann', 'room'), outcome, AT))
    const left = leaving(done(3, { client: annIn() }))
    expect(explanations([model], [joining, left], entries)).toHaveLength(1)
    const unchanged = leaving(done(1, { unchanged: true, client: annIn() }))
    expect(explanations([model], [joining, unchanged], entries.slice(0, 1))).toHaveLength(1)
    const tooLate = leaving(done(2, { unchanged: true, client: annIn() }))
    expect(explanations([model], [joining, tooLate], entries.slice(0, 1))).toEqual([])
  })

  test('of two runs that claim a key at once one is told that it has it', () => {
    const claims = (...outcomes: ('claimed' | 'running' | 'unknown')[]) => {
      const calls = outcomes.map((outcome, index) =>
        answered(claimAct(claim(ann, 'k', `run ${index}`), outcome)),
      )
      return explanations([withAnn()], calls, []).length
    }
    expect(claims('claimed', 'running')).toBe(1)
    expect(claims('running', 'claimed')).toBe(1)
    expect(claims('claimed', 'claimed')).toBe(0)
    expect(claims('running', 'running')).toBe(0)
    expect(claims('claimed', 'unknown')).toBe(0)
  })
})
