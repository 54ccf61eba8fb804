import { afterEach, expect, jest, test } from '@jest/globals'
import { ClientAddresses } from '../../lib/subscribe/client-addresses.ts'
import { SeededRandom } from '../../providers/contract/seeded-random.ts'
import { countTo } from '../support/raw-page.ts'
import { printedSeed } from '../support/seed.ts'
import { closeSites } from '../support/site.ts'
import { TestPage } from '../support/test-page.ts'
import { TRANSPORTS } from '../support/transports.ts'
import { openNodes } from '../support/two-nodes.ts'
import { type Act, pickByWeight } from '../support/weighted.ts'

afterEach(async () => {
  jest.restoreAllMocks()
  await closeSites()
})

const GROUPS = ['a', 'b', 'c']
const STEPS = 400

interface Member {
  readonly publicToken: string
  readonly page: TestPage
  readonly groups: Set<string>
  readonly expected: number[]
}

/** Clients join and leave, messages are sent, and pages ask, in any order, at two nodes of which one or the other lags. */
async function interleave(seed: number): Promise<{ members: Member[]; counts: Record<string, number> }> {
  const random = new SeededRandom(seed)
  const nodes = await openNodes(2, { presence: random.chance(50) })
  const any = () => random.pick(nodes)
  const members: Member[] = []
  for (const index of countTo(6)) {
    const groups = random.chance(50) ? [random.pick(GROUPS)] : []
    const client = await any().newClient({
      publicToken: `client-${index}`,
      userId: `user-${index % 2}`,
      groups,
    })
    const page = new TestPage(random.pick(TRANSPORTS), client)
    members.push({ publicToken: client.publicToken, page, groups: new Set(groups), expected: [] })
  }
  const counts: Record<string, number> = {}
  let sent = 0
  const send = async (isHit: (member: Member) => boolean, audience: object): Promise<void> => {
    sent += 1
    for (const member of members) if (isHit(member)) member.expected.push(sent)
    await any().channel.sendMessage('M', sent, audience)
  }
  const acts: readonly Act[] = [
    [
      20,
      'join',
      async () => {
        const [member, group] = [random.pick(members), random.pick(GROUPS)]
        await any().channel.joinGroup(member.publicToken, group)
        member.groups.add(group)
      },
    ],
    [
      15,
      'leave',
      async () => {
        const [member, group] = [random.pick(members), random.pick(GROUPS)]
        expect(await any().channel.leaveGroup(member.publicToken, group)).toBe(member.groups.delete(group))
      },
    ],
    [
      30,
      'send to a group',
      () => {
        const group = random.pick(GROUPS)
        return send(({ groups }) => groups.has(group), { group })
      },
    ],
    [
      10,
      'send to groups and a user, but for one',
      () => {
        const [group, other] = [random.pick(GROUPS), random.pick(GROUPS)]
        const user = `user-${random.below(2)}`
        const except = random.pick(members).publicToken
        const isHit = ({ publicToken, groups }: Member): boolean => {
          const isOfUser = Number(publicToken.at(-1)) % 2 === Number(user.at(-1))
          return publicToken !== except && (isOfUser || groups.has(group) || groups.has(other))
        }
        return send(isHit, { group: [group, other], user, except })
      },
    ],
    [5, 'send to all', () => send(() => true, {})],
    [15, 'ask', () => random.pick(members).page.glance(any().url)],
    [10, 'stay', () => random.pick(members).page.visit(any().url)],
    [5, 'lag', async () => any().gate.hold()],
    [8, 'go on', async () => any().gate.release()],
  ]
  for (const _ of countTo(STEPS)) {
    const [, name, act] = pickByWeight(random, acts)
    counts[name] = (counts[name] ?? 0) + 1
    await act()
  }
  for (const { gate } of nodes) gate.release()
  for (const { page } of members) {
    await page.glance(nodes[0]!.url)
    await page.glance(nodes[1]!.url)
  }
  return { members, counts }
}

const outcomes = (members: readonly Member[]): unknown[] =>
  members.map(({ page }) => [page.contents, page.resets])
const expected = (members: readonly Member[]): unknown[] => members.map(({ expected }) => [expected, []])

test('Whoever was a member when a message was sent gets it, once and in order, and nobody else, on any node', async () => {
  const seed = printedSeed('groups')
  const { members, counts } = await interleave(seed)
  process.stdout.write(
    `${members.map(({ expected }) => expected.length)} messages: ${JSON.stringify(counts)}\n`,
  )
  expect(outcomes(members)).toEqual(expected(members))
})

test('A node that overlooks that somebody left is found out', async () => {
  const { apply } = ClientAddresses.prototype
  jest.spyOn(ClientAddresses.prototype, 'apply').mockImplementation(function (
    this: ClientAddresses,
    entry,
    trimmedThrough,
  ) {
    return entry.kind !== 'leave' && apply.call(this, entry, trimmedThrough)
  })
  const { members } = await interleave(11)
  expect(outcomes(members)).not.toEqual(expected(members))
})
