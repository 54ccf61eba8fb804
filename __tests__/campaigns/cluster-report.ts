import type { Cluster } from './cluster.ts'
import { addressedIds } from './cluster-audience.ts'
import { checkLists } from './cluster-check-lists.ts'
import { checkLog, checkMemberships } from './cluster-check-messages.ts'
import {
  checkPresence,
  isOvertaken,
  isRightlyForgotten,
  type PresenceFacts,
} from './cluster-check-presence.ts'
import { checkSends, GONE, UNKNOWN } from './cluster-check-sends.ts'
import type { SendFact } from './cluster-facts.ts'
import type { ListedClient } from './cluster-orders.ts'
import type { ClusterPage } from './cluster-page.ts'
import { checkHistory } from './faults-check.ts'
import { machineMs } from './machine-clock.ts'
import { type Problem, Problems } from './problems.ts'

/** What there is to look at when a cluster has come to rest. */
export interface Rest {
  readonly cluster: Cluster
  /** Those that are there, and those that were. */
  readonly present: readonly ClusterPage[]
  readonly gone: readonly ClusterPage[]
  /** The clients that each node lists. */
  readonly lists: readonly (readonly ListedClient[])[]
  /** The id of the last message. Pages have dealt with all up to there. */
  readonly lastId: number
}

/** What a cluster's pages did and were given. */
export interface PageFigures {
  readonly pages: number
  readonly deliveries: number
  readonly sends: number
  readonly unknownSends: number
  readonly joins: number
  readonly leaves: number
  readonly lists: number
  readonly reloads: number
  readonly crashes: number
  readonly returns: number
  readonly left: number
  readonly died: number
  readonly goodbyes: number
  readonly failures: number
  readonly disconnections: number
  /** Pages that were away for longer than their idle time, or came back too late after a beacon: each sees a reset. */
  readonly forgotten: number
  readonly resets: number
  /** Pages whose goodbye may have come before what they had asked for earlier: they are there until they are idle. */
  readonly overtaken: number
  /** How long after they went pages were removed, at the latest. */
  readonly leftForMs: number
  readonly diedForMs: number
}

/** Returns all that is wrong. Takes a time in proportion to what happened. */
export function checkCluster(rest: Rest): Problems {
  const problems = new Problems()
  problems.add(...rest.cluster.log.problems)
  for (const text of rest.cluster.facts.troubles) problems.add({ kind: 'failed', text })
  for (const { facts } of pagesOf(rest)) problems.add(...facts.problems)
  const { runs, kills } = rest.cluster.facts
  const found = [
    problemsOfMessages(rest),
    problemsOfPresence(rest),
    problemsOfAgreement(rest),
    checkSends(sendsOf(rest), runs, kills),
  ]
  // There may be more than a call takes arguments.
  for (const problem of found.flat()) problems.add(problem)
  return problems
}

/** A page whose client was rightly forgotten cannot learn what became of what it had sent as that one. */
function sendsOf(rest: Rest): SendFact[] {
  const forgotten = forgottenIn(rest)
  return pagesOf(rest).flatMap(({ facts }) => {
    const isForgotten = facts.clients.some(({ publicToken }) => forgotten.has(publicToken))
    return isForgotten
      ? facts.sends.map((send) => (send.outcome === UNKNOWN ? { ...send, outcome: GONE } : send))
      : facts.sends
  })
}

function forgottenIn(rest: Rest): Set<string> {
  return new Set(
    presenceOf(rest)
      .filter(isRightlyForgotten)
      .map(({ publicToken }) => publicToken),
  )
}

export function figuresOf(rest: Rest): PageFigures {
  const pages = pagesOf(rest).map(({ facts }) => facts)
  const sum = (count: (facts: ClusterPage['facts']) => number): number =>
    pages.reduce((total, facts) => total + count(facts), 0)
  const ofKind = (kind: string) => (facts: ClusterPage['facts']) => (facts.departure?.kind === kind ? 1 : 0)
  const presence = presenceOf(rest)
  const longestMs = (kind: string): number =>
    Math.round(
      Math.max(
        0,
        ...presence
          .filter((each) => each.departure?.kind === kind && !isOvertaken(each))
          .map(({ departure, removedMs = 0 }) => removedMs - departure!.atMs),
      ),
    )
  return {
    pages: pages.length,
    deliveries: sum(({ deliveries }) => deliveries),
    sends: sum(({ sends }) => sends.length),
    unknownSends: sum(({ sends }) => sends.filter(({ outcome }) => outcome === UNKNOWN).length),
    joins: sum(({ joins }) => joins),
    leaves: sum(({ leaves }) => leaves),
    lists: sum(({ lists }) => lists.length),
    reloads: sum(({ reloads }) => reloads),
    crashes: sum(({ crashes }) => crashes),
    returns: sum(({ returns }) => returns),
    left: sum(ofKind('left')),
    died: sum(ofKind('died')),
    goodbyes: presence.reduce((total, { goodbyes }) => total + goodbyes.length, 0),
    failures: sum(({ failures }) => failures.length),
    disconnections: sum(({ disconnections }) => disconnections),
    forgotten: presence.filter((each) => each.departure === undefined && isRightlyForgotten(each)).length,
    resets: sum(({ resets }) => resets.length),
    overtaken: presence.filter(isOvertaken).length,
    leftForMs: longestMs('left'),
    diedForMs: longestMs('died'),
  }
}

/** All clients that pages have been. */
export function presenceOf({ cluster, present, gone }: Omit<Rest, 'lists' | 'lastId'>): PresenceFacts[] {
  const removals = new Map<string, number>()
  for (const { entry, atMs } of cluster.log.told)
    if (entry.kind === 'remove') removals.set(entry.publicToken, atMs)
  return [...present, ...gone].flatMap(({ facts }) =>
    facts.clients.map((client) => ({
      ...client,
      departure: facts.departure?.publicToken === client.publicToken ? facts.departure : undefined,
      removedMs: removals.get(client.publicToken),
      contacts: cluster.traffic.contactsOf(client.privateToken),
      lastMs: cluster.traffic.lastOf(client.privateToken),
      goodbyes: cluster.traffic.goodbyesOf(client.privateToken),
      strays: cluster.traffic.straysOf(client.privateToken),
    })),
  )
}

function pagesOf({ present, gone }: Rest): readonly ClusterPage[] {
  return [...present, ...gone]
}

function problemsOfMessages(rest: Rest): Problem[] {
  const { cluster, lastId } = rest
  const entries = cluster.log.told.map(({ entry }) => entry).filter(({ id }) => id <= lastId)
  const removedAt = new Map<string, number>()
  for (const entry of entries) if (entry.kind === 'remove') removedAt.set(entry.publicToken, entry.id)
  const pages = pagesOf(rest)
  const clients = pages.flatMap(({ facts }) => facts.clients)
  const userOf = new Map(clients.map(({ publicToken, user }) => [publicToken, user]))
  const addressed = addressedIds(entries, userOf)
  const memberships = pages.flatMap(({ facts }) => facts.memberships)
  const { messages } = cluster.facts
  return [
    checkLog(entries, messages),
    checkMemberships(messages.values(), memberships, addressed, removedAt),
    ...pages.map(problemsOfPage),
  ].flat()

  function problemsOfPage({ facts }: ClusterPage): Problem[] {
    const segmentsOf = new Map(facts.record.histories().map(({ who, segments }) => [who, segments]))
    return facts.clients.flatMap(({ publicToken: who }) => {
      const isThere = !removedAt.has(who) && facts.departure?.publicToken !== who
      const segments = (segmentsOf.get(who) ?? []).map(({ isClean, received }) => ({
        isClean,
        received: received.filter((id) => id <= lastId),
      }))
      return checkHistory({ who, segments, isWhole: isThere }, addressed.get(who) ?? [])
    })
  }
}

function problemsOfPresence(rest: Rest): Problem[] {
  const { cluster } = rest
  const problems: Problem[] = []
  const presence = presenceOf(rest)
  const nowMs = machineMs()
  for (const each of presence) problems.push(...checkPresence(each, nowMs))
  const forgotten = forgottenIn(rest)
  for (const { facts } of pagesOf(rest)) {
    for (const { reason, publicToken } of facts.resets)
      if (reason !== 'forgotten' || !forgotten.has(publicToken ?? ''))
        problems.push({ kind: 'reset', text: `${publicToken} was told ${reason}` })
  }
  for (const [publicToken, times] of cluster.facts.removals)
    if (times > 1)
      problems.push({ kind: 'twice', text: `${publicToken} was told of as removed ${times} times` })
  const lists = pagesOf(rest).flatMap(({ facts }) => facts.lists)
  return [...problems, ...checkLists(lists, cluster.log.told)]
}

/** Nodes, pages and the log have to agree on who is there, and in which groups. */
function problemsOfAgreement({ cluster, present, lists }: Rest): Problem[] {
  const problems: Problem[] = []
  const pages = new Map(present.map((page) => [page.publicToken, page]))
  for (const [node, clients] of lists.entries()) {
    const listed = new Set(clients.map(([publicToken]) => publicToken))
    for (const who of new Set([...cluster.log.clients, ...pages.keys()]))
      if (!listed.has(who!)) problems.push({ kind: 'client', text: `node ${node} does not list ${who}` })
    for (const [publicToken, groups] of clients) {
      const page = pages.get(publicToken)
      if (!page)
        problems.push({ kind: 'client', text: `node ${node} lists ${publicToken}, which is no page` })
      const known = page?.groups
      if (known && known.join() !== [...groups].sort().join())
        problems.push({ kind: 'client', text: `node ${node} has ${publicToken} in ${groups}, not ${known}` })
    }
  }
  return problems
}
