import * as audiences from './broken-audiences.ts'
import * as claims from './broken-claims.ts'
import * as departures from './broken-departures.ts'
import * as durable from './broken-durable-groups.ts'
import { broken as brokenDurable } from './broken-durable-providers.ts'
import * as groups from './broken-groups.ts'
import { type BrokenProvider, broken } from './broken-providers.ts'
import * as updates from './broken-updates.ts'

const ENDED = 'A membership that has ended is kept as long as the window reaches it'
const NEWEST = 'Of memberships that have ended the newest 100 are kept, and what may be lost is said'
const UNCHANGED = 'To join what one is a member of, or to leave what one is not, adds nothing and says so'
const NAMES = 'Names of groups are data: what is not the same to the letter is another group'
const REMOVED = 'Who is removed leaves its groups first'
const IDLE = 'Who is removed as idle leaves its groups first'
const LISTED = 'Those are listed whom one of the topics addresses, each once'
const UPDATED = 'An update changes what it names, with an entry that says what others may know now'
const OVER = 'A run whose time is over without a reply is never followed by another'
const APART = 'A key is of one client alone, and of one bearer of its token'
const CUT_OFF = 'Whom a stop has hit is stopped, also when a crash cuts it off, and each is told of once'

/** Those whose groups, users, audiences, updates or claims are wrong. */
export const BROKEN_MEMBERS: readonly BrokenProvider[] = [
  broken(groups.JoinsFromBefore, 'A join adds a join entry, and a membership from there on'),
  broken(
    groups.ForgetsWhereSomebodyWasAMember,
    'A leave adds a leave entry, and ends the membership, which is kept',
  ),
  broken(groups.EndsBothMemberships, 'Who joins anew is a member from the new join on, and was one before'),
  broken(groups.LeavesAndJoinsAgain, UNCHANGED),
  broken(groups.SaysNothingOfWhatItDidNotDo, UNCHANGED),
  broken(groups.SortsGroups, 'Groups stand in the order of joining'),
  broken(
    groups.CountsInitialGroupsFromTheirEntries,
    'Initial groups count from the generation, each with a join entry behind the initialise entry',
  ),
  broken(groups.IgnoresMaxGroups, 'No client joins more than maxGroups'),
  broken(groups.RefusesAMemberAtTheLimit, 'No client joins more than maxGroups'),
  broken(groups.LetsNobodyLeave, 'Nobody joins, leaves or is updated who does not exist'),
  broken(
    groups.ChangesAnyGeneration,
    'A join, leave or update that names a generation is for that bearer of the token alone',
  ),
  broken(groups.FoldsTheCaseOfGroups, NAMES),
  broken(groups.NormalisesGroups, NAMES),
  broken(groups.KeepsAnEmptyGroup, 'A group vanishes with its last member, and begins anew with the next'),
  broken(groups.ForgetsMembershipsThatAreRetained, ENDED),
  broken(groups.SaysThatWhatWasTrimmedIsLost, ENDED),
  broken(groups.SaysNothingOfWhatItHasDropped, NEWEST),
  broken(groups.DropsTheLongestMembership, NEWEST),
  broken(groups.ForgetsAMembershipWithItsEntry, 'A membership outlives its join entry'),
  broken(departures.LeavesNoGroupWhenItIsRemoved, REMOVED),
  broken(departures.NamesTheGoneWithoutTheirGroups, REMOVED),
  broken(departures.LeavesNoGroupWhenItIsIdle, IDLE),
  broken(departures.NamesTheGoneWithoutTheirGroups, IDLE),
  broken(
    departures.LeavesBeforeItIsStopped,
    'Who is stopped leaves its groups behind the stop entry, and has no remove entry',
  ),
  broken(departures.LeavesItsGroupsToTheNext, 'Who comes after inherits no group'),
  broken(audiences.ListsForEachTopic, LISTED),
  broken(audiences.MixesKindsOfTopics, LISTED),
  broken(audiences.FoldsTheCaseOfUsers, 'Users and sessions are data, too'),
  broken(
    audiences.ListsByAnIndexThatNobodyClears,
    'Who is removed is listed for no topic any more, nor is the next bearer for topics of the first',
  ),
  broken(
    audiences.StopsWhomItExcepts,
    'A stop hits a union of groups, users and sessions, each client once, but nobody excepted',
  ),
  broken(audiences.ExceptsNobodyFromEverybody, 'A stop of everybody spares whom it excepts'),
  broken(
    audiences.StopsWhoJoinsAfter,
    'A stop of a group hits those who are members then: not who left before, nor who joins after',
  ),
  broken(audiences.JoinsTheStopped, 'Whom a stop has hit nobody can join, update or claim for'),
  broken(audiences.CountsNoUsers, 'No user has more than maxClientsPerUser'),
  broken(
    audiences.CountsNoUsers,
    'Of two nodes that initialise the last client allowed to a user at once, one succeeds',
  ),
  broken(audiences.TakesNoUserForAUser, 'Clients without a user are no user'),
  broken(
    audiences.CountsUsersFirst,
    'A token in use is refused before a limit is, and the limit of all before that of a user',
  ),
  broken(updates.TakesNullForNothing, UPDATED),
  broken(updates.TellsOfNoGroups, UPDATED),
  broken(
    updates.LosesGroupsAtAnUpdate,
    'An update changes nothing else: no membership, no lease, nothing that was acknowledged',
  ),
  broken(updates.TellsOfAnOldName, 'What comes after an update tells of the client as it is then'),
  broken(claims.KeepsClaimsToItself, 'The first run to claim a key has it, and others are told that it runs'),
  broken(claims.ForgetsWhoClaimed, 'A run that asks again is answered as if it had not asked'),
  broken(
    claims.AnswersClaimsInAnotherOrder,
    'Several claims are answered in order, each after those before it',
  ),
  broken(claims.MendsReplies, 'What a run came to is answered to every other, exactly'),
  broken(claims.LetsAnyRunSettle, 'Only the run that claimed a key can say what it came to'),
  broken(claims.GivesTheClaimOfADeadRunAgain, OVER),
  broken(claims.TakesNoLateReply, OVER),
  broken(claims.SharesKeysAmongClients, APART),
  broken(claims.ClaimsForAnyGeneration, APART),
  broken(claims.FoldsTheCaseOfKeys, 'Keys and runs are data'),
  broken(claims.SeesWhoeverClaims, 'A claim neither adds to the log nor says that its client was seen'),
  broken(claims.ForgetsClaimsEarly, 'A claim is known for its seconds'),
  broken(
    claims.BoundsTheClaimsOfAllClients,
    'The newest 32 claims of a client are known, however many others have',
  ),
  brokenDurable(
    durable.StopsWhoWasAMemberBefore,
    'A stop of a group and a join at once: who has joined before is stopped, who joins after is not',
  ),
  brokenDurable(durable.WritesWhatItHasNotChanged, 'Two updates at once are both done'),
  brokenDurable(
    durable.CountsGroupsBefore,
    'Of two nodes that join the last group allowed at once, one succeeds',
  ),
  brokenDurable(
    durable.SaysThatItHasJoined,
    'Of two nodes that join or leave for one client at once, one adds an entry',
  ),
  brokenDurable(
    durable.ReadsMembershipsLater,
    'Who reads amid joins and leaves finds the memberships as of the position that is answered',
  ),
  brokenDurable(durable.LooksWhetherAKeyIsClaimed, 'Of two nodes that claim a key at once, one alone has it'),
  brokenDurable(durable.AnswersBeforeItClaims, 'A run that a crash has cut off is never followed by another'),
  brokenDurable(
    durable.ClaimsByAnotherNameEachTime,
    'Whoever claims a key while the store fails, and claims it again, has it alone',
  ),
  brokenDurable(durable.LosesClaimsAtARestart, 'After a restart claims are known, and what they came to'),
  brokenDurable(
    durable.LosesClaimsAtARestart,
    'Memberships, updates and claims that were answered before a crash are there after it',
  ),
  brokenDurable(
    durable.LosesEndedMembershipsAtARestart,
    'After a restart members are members, of what they were and are',
  ),
  brokenDurable(
    durable.JoinsInitialGroupsLater,
    'A client and its groups come and go as one, also when a crash cuts it off',
  ),
  brokenDurable(durable.TellsAgainOfWhomItHasStopped, CUT_OFF),
  brokenDurable(durable.ForgetsTheRestOfAStop, CUT_OFF),
  brokenDurable(
    durable.ForgetsTheRestOfAStop,
    'From the entry of a stop on all whom it hits are stopped on every node, however many',
  ),
]
