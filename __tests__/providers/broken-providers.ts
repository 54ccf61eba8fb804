import type { Gap, ProviderStorage } from 'koa-comet/providers/contract'
import { InProcCometStateProvider, InProcStorage } from 'koa-comet/providers/in-proc'
import type { ICometStateProvider } from '../../lib/comet-state-provider.ts'
import * as clients from './broken-clients.ts'
import * as feeds from './broken-feeds.ts'
import * as leases from './broken-leases.ts'
import * as memories from './broken-memories.ts'
import * as openings from './broken-openings.ts'
import * as reads from './broken-reads.ts'
import * as sightings from './broken-sightings.ts'
import * as supports from './broken-supports.ts'
import * as failures from './broken-under-failure.ts'

/** A provider that is broken in one way, and the rule of the contract that has to find it. */
export interface BrokenProvider {
  readonly name: string
  /** The sentence by which the suite names the rule. */
  readonly rule: string
  /** Whether it keeps all other rules. */
  readonly failsNothingElse?: boolean
  /** Whether its calls do not end, so that each time it is found takes as long as the suite waits. */
  readonly hangs?: boolean
  /** What `create` does not give. Default: nothing. */
  readonly without?: readonly Gap[]
  create(): ProviderStorage
}

type Wrapper = new (inner: ICometStateProvider, swept: leases.Swept, now: () => number) => ICometStateProvider

/** What the store in this process does not give. */
export const WITHOUT: readonly Gap[] = ['crash', 'interruptions']

/** A fresh in-process store whose providers are wrapped; unwrapped without a wrapper. */
export function createStorage(Wrapper?: Wrapper, sweepsByItself = false): ProviderStorage {
  let nowMs = 0
  const swept: leases.Swept = []
  const storage = new InProcStorage(() => nowMs)
  return {
    createProvider() {
      const sound = new InProcCometStateProvider({ storage })
      return Wrapper ? new Wrapper(sound, swept, () => nowMs) : sound
    },
    advance(seconds) {
      for (let second = 0; second < seconds; second += 1) {
        nowMs += 1000
        if (sweepsByItself) swept.push(...storage.channel('contract').removeExpired())
      }
    },
    dispose: () => undefined,
  }
}

export function broken(Wrapper: Wrapper, rule: string, sweepsByItself = false): BrokenProvider {
  return { name: Wrapper.name, rule, without: WITHOUT, create: () => createStorage(Wrapper, sweepsByItself) }
}

/** One that keeps all other rules. */
function brokenOnce(Wrapper: Wrapper, rule: string): BrokenProvider {
  return { ...broken(Wrapper, rule), failsNothingElse: true }
}

/** Those over the store in this process. */
export const BROKEN_PROVIDERS: readonly BrokenProvider[] = [
  broken(feeds.NotifiesBeforeItStores, 'An entry is fed only when it is stored: whoever reads then finds it'),
  broken(feeds.Overtakes, 'Several operations are done in order, with one outcome for each'),
  broken(feeds.ShowsALowerIdLater, 'Nothing appears below an id that was already fed'),
  broken(
    feeds.ReusesAnId,
    'Ids rise strictly, and each entry is fed once, also to the provider that appends',
  ),
  broken(
    feeds.FeedsTwice,
    'Ids rise strictly, and each entry is fed once, also to the provider that appends',
  ),
  broken(feeds.DropsEntriesOfOthers, 'Two nodes are told the same entries in the same order'),
  broken(feeds.CatchesUpTooEarly, 'What append resolved for has reached the listener when catchUp resolves'),
  broken(feeds.WaitsToBeAsked, 'An entry reaches every provider without being asked for'),
  broken(feeds.SpeaksAfterClose, 'Nothing reaches the listener of a closed provider'),
  broken(feeds.BeginsEmpty, 'A later provider begins with the retained window'),
  broken(feeds.LiesAboutWhatIsTrimmed, 'The window is bounded by messages'),
  broken(feeds.RetainsTooMuch, 'The window is bounded by messages'),
  broken(feeds.MixesChannels, 'Channels of other names are other channels'),
  broken(feeds.MendsContents, 'Topics, exceptions, names and contents come back exactly'),
  broken(feeds.AnswersInAnotherOrder, 'Several operations are done in order, with one outcome for each'),
  broken(
    feeds.StoresWhatItRefuses,
    'A refusal is an outcome between the others: it stores nothing and feeds nothing',
  ),
  broken(feeds.LosesTheKey, 'A repetition with a key answers the first id and stores nothing'),
  broken(feeds.KeepsKeysToItself, 'A key is known to every provider of the store'),
  broken(
    clients.ForgetsARecordsPosition,
    'A record is read as of a position that is not below its generation nor beyond the log',
  ),
  broken(
    clients.ReadsThePositionLater,
    'A client that is removed as it is read is never answered as of its removal or later',
  ),
  broken(clients.ResurrectsARemovedClient, 'A removed client is not known any more, and its tokens are free'),
  broken(clients.RenewsTheDead, 'A client that does not exist is gone'),
  broken(clients.AcceptsATokenTwice, 'Of two nodes that initialise with one token at once, one succeeds'),
  broken(clients.AcceptsAPublicTokenInUse, 'Either token in use is refused, and nothing is stored'),
  broken(clients.RemovesAnyGeneration, 'To remove with another generation is refused, and removes nobody'),
  broken(leases.KillsARenewedLease, 'A client whose lease was renewed is not removed'),
  broken(
    leases.RenewsForAnEarlierBearer,
    'A late renewal for an earlier bearer of the token does not touch the new one',
  ),
  broken(leases.LetsAnyPageSayGoodbye, "Another page's goodbye neither shortens the lease nor is a reason"),
  broken(leases.UndoesAGoodbye, 'A renewal without a request leaves what a goodbye shortened as it is'),
  broken(
    leases.IgnoresRenewalsWithoutARequest,
    'A renewal without a request prolongs a lease that no goodbye shortened',
  ),
  broken(leases.LetsAnyPageTakeTheLease, 'Another page is answered elsewhere, and changes nothing'),
  broken(leases.KeepsTheLastAcknowledged, 'The highest acknowledged position is kept'),
  broken(leases.ForgetsTheReason, 'A goodbye shortens the lease, and is the reason when it runs out'),
  broken(
    clients.ForgetsThatATokenWasStopped,
    "A stopped private token is answered with 'stopped', by every provider",
  ),
  broken(
    clients.RemovesInsteadOfStopping,
    'A stopped private token cannot be initialised with, its public token can',
  ),
  broken(
    leases.LetsTwoNodesHaveAnExpiredClient,
    'Of two nodes that sweep at once, one alone gets each client',
  ),
  broken(leases.IgnoresUnsweptTime, 'Time in which nobody swept is added to every lease', true),
  brokenOnce(
    failures.GoesOnOpeningAfterClose,
    'When close comes while open is under way, both end, and the listener hears no more',
  ),
  broken(memories.RemembersKeysForHalfTheTime, 'A key is remembered for the retention time'),
  broken(
    memories.ForgetsAKeyWithItsMessage,
    '1000 keys are remembered, also when their messages are trimmed',
  ),
  broken(
    memories.RemembersStoppedTokensForHalfTheTime,
    'A stopped token is remembered for the retention time',
  ),
  broken(memories.RemembersTheNewestStoppedTokens, '1000 stopped tokens are remembered'),
  broken(memories.TrimsAfterHalfTheTime, 'A message is retained for the retention time'),
  broken(memories.KeepsNamesInATableOfTheirOwn, 'The window is bounded by the bytes of names, too'),
  broken(sightings.SeesAClientOnlyOnce, 'Each renewal that changes a lease says when the client was seen'),
  broken(sightings.SeesToTheMinute, 'Each renewal that changes a lease says when the client was seen'),
  broken(sightings.SeesWhoeverRenews, 'Nothing else says that a client was seen'),
  broken(
    supports.SaysNothingOfWhatItSupports,
    'What a provider supports is said as data, before it is opened',
  ),
  broken(supports.SaysItInAWord, 'What a provider supports is said as data, before it is opened'),
  broken(supports.SaysItInWordsOfItsOwn, 'What a provider supports is said as data, before it is opened'),
  broken(supports.SaysItAsText, 'What a provider supports is said as data, before it is opened'),
  broken(
    supports.PromisesTransactions,
    'There is sendWithin where supports.transactions says so, and only there',
  ),
  broken(
    supports.KeepsItsTransactionsToItself,
    'There is sendWithin where supports.transactions says so, and only there',
  ),
  broken(failures.FollowsTwiceWhenOpenedAgain, 'A provider that was closed can be opened again'),
  brokenOnce(
    openings.ListensATurnAfterReset,
    'A node that opens while others append is told each entry once',
  ),
  broken(
    openings.ListensAMillisecondAfterReset,
    'A node that opens while others append is told each entry once',
  ),
  broken(
    openings.ListensSixMillisecondsAfterReset,
    'A node that opens while others append is told each entry once',
  ),
  broken(
    openings.ListensLateAmidSlowAppends,
    'A node that opens while others append is told each entry once',
  ),
  brokenOnce(
    openings.FeedsAgainWhatTheWindowHas,
    'A node that opens while others append is told each entry once',
  ),
  brokenOnce(
    openings.ReadsTheHeadAfterTheWindow,
    'A node that opens while others append is told each entry once',
  ),
  broken(
    reads.ReadsThePositionATurnLater,
    'A client that is removed as it is read is never answered as of its removal or later',
  ),
  broken(
    reads.ReadsThePositionAMillisecondLater,
    'A client that is removed as it is read is never answered as of its removal or later',
  ),
]
