import { expect, test } from '@jest/globals'
import { TopicIndex } from '../../lib/subscribe/topic-index.ts'

function membersOf<T extends object>(index: TopicIndex<T>, topic: string): T[] {
  const members: T[] = []
  index.forEach(topic, (member) => members.push(member))
  return members
}

test('A topic has the members that were added under it, each once', () => {
  const [ann, bob] = [{}, {}]
  const index = new TopicIndex<object>()
  index.add('g:one', ann)
  index.add('g:one', ann)
  expect(membersOf(index, 'g:one')).toEqual([ann])
  index.add('g:one', bob)
  index.add('g:one', bob)
  index.add('g:two', bob)
  expect(membersOf(index, 'g:one')).toHaveLength(2)
  expect(membersOf(index, 'g:two')[0]).toBe(bob)
  expect(membersOf(index, 'g:three')).toEqual([])
})

test('A member that was taken out is not found any more, and the others are', () => {
  const [ann, bob, cid] = [{ is: 'ann' }, { is: 'bob' }, { is: 'cid' }]
  const index = new TopicIndex<object>()
  for (const member of [ann, bob, cid]) index.add('*', member)
  index.delete('*', bob)
  expect(membersOf(index, '*')).toEqual([ann, cid])
  index.delete('*', ann)
  index.delete('*', cid)
  expect(membersOf(index, '*')).toEqual([])
  index.add('*', bob)
  expect(membersOf(index, '*')).toEqual([bob])
})

test('To take out who is not there changes nothing', () => {
  const [ann, bob] = [{ is: 'ann' }, { is: 'bob' }]
  const index = new TopicIndex<object>()
  index.delete('*', ann)
  index.add('*', ann)
  index.delete('*', bob)
  index.delete('g:one', ann)
  expect(membersOf(index, '*')).toEqual([ann])
})

test('A member may leave while the others are visited', () => {
  const members = [{}, {}, {}]
  const index = new TopicIndex<object>()
  for (const member of members) index.add('*', member)
  let visits = 0
  index.forEach('*', (member) => {
    visits += 1
    index.delete('*', member)
  })
  expect([visits, membersOf(index, '*')]).toEqual([3, []])
})
