import { describe, expect, test } from '@jest/globals'
import type { Entry, Outcome } from '../../lib/comet-state-provider.ts'
import { operationAct, renewalAct, sweepActs } from '../../providers/contract/acts.ts'
import { type Act, explanations } from '../../providers/contract/explanations.ts'
import { Model } from '../../providers/contract/model.ts'
import { initialise, remove, renewal, send } from '../../providers/contract/operations.ts'

const EPOCH = 'epoch'
const ann = { publicToken: 'ann', generation: 1 }
const toAnn = send('Chat', { topics: ['c:ann'], receiver: 'ann' })
const removal: Entry = { kind: 'remove', id: 2, ...ann }
const messageOf = (id: number): Entry => {
  return { kind: 'message', id, topics: ['c:ann'], except: [], name: 'Chat', contents: '"hello"' }
}

/** A store that has the client ann, whose lease ends in `seconds`. */
function withAnn(seconds = 60): Model {
  const model = new Model()
  model.apply(initialise('ann', { leaseSeconds: seconds }), 1)
  return model
}

function done(id: number): Outcome {
  return { id, epoch: EPOCH }
}

const answered = (...acts: Act[]) => ({ acts, isComplete: true })
const unanswered = (...acts: Act[]) => ({ acts, isComplete: false })

describe('Explanations', () => {
  test('a send and a removal at once are explained by the order of their ids', () => {
    const calls = [
      answered(operationAct(toAnn, done(2), EPOCH)),
      answered(operationAct(remove('ann', 1), done(3), EPOCH)),
    ]
    expect(explanations([withAnn()], calls, [messageOf(2), { ...removal, id: 3 }])).toHaveLength(1)
  })

  test('a send that was given an id after the removal of its receiver is not explained', () => {
    const calls = [
      answered(operationAct(toAnn, done(3), EPOCH)),
      answered(operationAct(remove('ann', 1), done(2), EPOCH)),
    ]
    expect(explanations([withAnn()], calls, [removal, messageOf(3)])).toEqual([])
  })

  test('a refusal is explained by an order in which it holds', () => {
    const refused: Outcome = { refused: 'COMET_CLIENT_DOES_NOT_EXIST' }
    const send = answered(operationAct(toAnn, refused, EPOCH))
    const removing = answered(operationAct(remove('ann', 1), done(2), EPOCH))
    expect(explanations([withAnn()], [send, removing], [removal])).toHaveLength(1)
    expect(explanations([withAnn()], [send], [])).toEqual([])
  })

  test('an entry that nobody appended is not explained, nor one that is missing', () => {
    expect(explanations([withAnn()], [], [messageOf(2)])).toEqual([])
    expect(explanations([withAnn()], [answered(operationAct(toAnn, done(2), EPOCH))], [])).toEqual([])
  })

  test('a call that was not answered did the first so many of its operations', () => {
    const call = unanswered(
      operationAct(toAnn, undefined, EPOCH),
      operationAct(remove('ann', 1), undefined, EPOCH),
    )
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
})
