import { beforeEach, describe, expect, test } from '@jest/globals'
import type { MembershipFact } from './cluster-facts.ts'
import { type GroupRequest, PageGroups } from './cluster-groups.ts'

const JOIN: GroupRequest = { group: 'room-2', action: 'join' }
const LEAVE: GroupRequest = { group: 'room-2', action: 'leave' }

let memberships: MembershipFact[]
let groups: PageGroups

beforeEach(() => {
  memberships = []
  groups = new PageGroups(memberships)
  groups.begin('ann', 'room-1')
})

describe('What a page surely is a member of', () => {
  test('is the group that it begins in, and what it was told that it has joined', () => {
    expect(groups.surely).toEqual(['room-1'])
    groups.ask(JOIN)
    expect(groups.surely).toBeUndefined()
    groups.answered(JOIN)
    expect(groups.surely).toEqual(['room-1', 'room-2'])
  })

  test('is written down from the answer to the join on until the leave is asked for', () => {
    groups.ask(JOIN)
    groups.answered(JOIN)
    expect(memberships).toEqual([])
    groups.ask(LEAVE)
    expect(memberships).toMatchObject([{ publicToken: 'ann', group: 'room-2' }])
    groups.answered(LEAVE)
    expect(groups.surely).toEqual(['room-1'])
  })

  test('is nothing that it has asked to leave again, before it is answered', () => {
    const again = { ...JOIN }
    for (const request of [JOIN, LEAVE, again]) groups.ask(request)
    groups.answered(JOIN)
    groups.answered(LEAVE)
    expect(memberships).toEqual([])
    expect(groups.surely).toBeUndefined()
    groups.answered(again)
    expect(groups.surely).toEqual(['room-1', 'room-2'])
  })

  test('is never known again of a group that a page before a reload has asked for', () => {
    groups.ask(JOIN)
    groups.reload()
    groups.ask(LEAVE)
    groups.answered(LEAVE)
    groups.ask(JOIN)
    groups.answered(JOIN)
    groups.end()
    expect(groups.surely).toBeUndefined()
    expect(memberships.map(({ group }) => group)).toEqual(['room-1'])
  })

  test('is not known of a page that is another client', () => {
    groups.begin('eve', 'room-1')
    expect(groups.surely).toBeUndefined()
  })
})

test('What a page does next is the opposite of what it did last', () => {
  expect([groups.next('room-1'), groups.next('room-2')]).toEqual(['leave', 'join'])
  groups.ask(JOIN)
  expect(groups.next('room-2')).toBe('leave')
  groups.answered(JOIN)
  expect(groups.next('room-2')).toBe('leave')
})
