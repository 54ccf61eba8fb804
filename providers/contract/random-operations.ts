import type { NewCometClient } from '../../lib/comet-client.ts'
import type { InitialiseOperation, SendOperation, StopOperation } from '../../lib/comet-state-provider.ts'
import { clientTopic, EVERYBODY, groupTopic, sessionTopic, userTopic } from '../../lib/topics.ts'
import { hashOf, initialiseAs, join, leave, send, stop, stopTopics, update } from './operations.ts'
import * as names from './random-names.ts'
import type { SeededRandom } from './seeded-random.ts'
import type { PlannedOperation } from './steps.ts'

/** @param leaseSeconds of a new client */
export function randomOperation(random: SeededRandom, leaseSeconds: number): PlannedOperation {
  const publicToken = random.pick(names.CLIENTS)
  const dice = random.below(100)
  if (dice < 30) return randomSend(random, publicToken)
  if (dice < 60) return randomInitialise(random, publicToken, leaseSeconds)
  if (dice < 89) return randomChange(random, publicToken)
  if (dice < 95) return { kind: 'remove', publicToken, earlier: random.chance(25) }
  return randomStop(random, publicToken)
}

/** Contents tell one message from another. */
function randomSend(random: SeededRandom, receiver: string): SendOperation {
  const contents = String(random.below(1_000_000))
  const more = random.chance(30) ? { contents, key: random.pick(names.KEYS) } : { contents }
  const dice = random.below(4)
  if (dice === 0) return send('To one', { topics: [clientTopic(receiver)], receiver, ...more })
  if (dice === 1) return send('To a group', { topics: [groupTopic(random.pick(names.GROUPS))], ...more })
  if (dice === 2) {
    return send('To several', { topics: names.CLIENTS.slice(random.below(3)).map(clientTopic), ...more })
  }
  return send('To everybody', { except: random.chance(50) ? [receiver] : [], ...more })
}

function randomInitialise(
  random: SeededRandom,
  publicToken: string,
  leaseSeconds: number,
): InitialiseOperation {
  const client: Partial<NewCometClient> = {
    groups: random.chance(40) ? names.GROUPS.slice(random.below(2)) : [],
    ...(random.chance(80) && { userId: random.pick(names.USERS) }),
    ...(random.chance(40) && { sessionId: random.pick(names.SESSIONS) }),
  }
  return initialiseAs(publicToken, client, {
    privateTokenHash: hashOf(random.pick(names.PRIVATE_TOKENS)),
    leaseSeconds,
    maxClients: names.MAX_CLIENTS,
    maxClientsPerUser: names.MAX_CLIENTS_PER_USER,
  })
}

function randomChange(random: SeededRandom, publicToken: string): PlannedOperation {
  const change = changeOf(random, publicToken)
  return random.chance(50) ? change : { ...change, earlier: random.chance(30) }
}

function changeOf(
  random: SeededRandom,
  publicToken: string,
): ReturnType<typeof join | typeof leave | typeof update> {
  const group = random.pick(names.GROUPS)
  const dice = random.below(100)
  if (dice < 45) {
    return join(publicToken, group, { maxGroups: names.MAX_GROUPS + random.below(2) })
  }
  if (dice < 75) return leave(publicToken, group)
  const number = random.below(1000)
  return update(publicToken, {
    ...(random.chance(60) && { displayName: `name ${number}` }),
    ...(random.chance(60) && { data: random.chance(30) ? null : { number } }),
  })
}

function randomStop(random: SeededRandom, publicToken: string): StopOperation {
  const dice = random.below(100)
  const except = random.chance(30) ? [random.pick(names.CLIENTS)] : []
  if (dice < 10) return stopTopics([EVERYBODY], except)
  if (dice < 40) return stop(publicToken, random.pick(names.CLIENTS))
  const groups = [groupTopic(random.pick(names.GROUPS))]
  if (dice < 70) return stopTopics(groups, except)
  const others = [userTopic(random.pick(names.USERS)), sessionTopic(random.pick(names.SESSIONS))]
  return stopTopics(random.chance(50) ? others : [...groups, ...others], except)
}
