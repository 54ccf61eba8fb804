import * as crashes from './broken-crashes.ts'
import type { BrokenProvider } from './broken-providers.ts'
import * as races from './broken-races.ts'
import * as restarts from './broken-restarts.ts'
import * as failures from './broken-under-failure.ts'
import { createDurableStorage, type DurableClass } from './durable-store.ts'

type More = Partial<Pick<BrokenProvider, 'failsNothingElse' | 'hangs'>> & { sweepsWhileClosed?: boolean }

export function broken(Provider: DurableClass, rule: string, more: More = {}): BrokenProvider {
  const { sweepsWhileClosed, ...how } = more
  return {
    name: Provider.name,
    rule,
    ...how,
    create: () => createDurableStorage(Provider, sweepsWhileClosed),
  }
}

/** Those over a durable store that can fail. */
export const BROKEN_DURABLE_PROVIDERS: readonly BrokenProvider[] = [
  broken(failures.LeavesCallsHangingAtClose, 'When close comes while calls are under way, all end', {
    hangs: true,
  }),
  broken(failures.HangsWhileItIsCutOff, 'While the store fails every call ends, and so does close', {
    hangs: true,
  }),
  broken(failures.SaysNothingWhenItIsCutOff, 'A node that is cut off says so, and says when it is back', {
    hangs: true,
  }),
  broken(
    failures.LosesWhatCameWhileItWasCutOff,
    'After the store has failed all goes on by itself, and nothing is missing',
  ),
  broken(
    failures.StoresLaterWhatItRejected,
    'What is rejected while the store fails is stored wholly or not at all',
  ),
  broken(
    failures.RepeatsWhatWasNotAnswered,
    'What is rejected while the store fails is stored wholly or not at all',
  ),
  broken(restarts.LosesTheLogAtARestart, 'After a restart the retained log is there'),
  broken(restarts.BeginsANewLifeAtARestart, 'After a restart the retained log is there'),
  broken(restarts.BeginsAnewAmongOldIds, 'After a restart ids are above all that were given'),
  broken(
    restarts.ReusesTheIdsOfTrimmedEntries,
    'After a restart ids are above those of entries that are trimmed, too',
  ),
  broken(restarts.LosesKeysAtARestart, 'After a restart a key is known'),
  broken(restarts.ForgetsAtARestartWhoWasStopped, 'After a restart a stopped token is stopped'),
  broken(
    restarts.ForgetsHoldersAtARestart,
    'After a restart the same page has the lease, and what it acknowledged',
  ),
  broken(
    restarts.SweepsWhileAllIsClosed,
    'After a restart nobody is removed for the time in which all was closed',
    { sweepsWhileClosed: true },
  ),
  broken(crashes.AnswersBeforeItStores, 'What was answered before a crash is there after it'),
  broken(
    crashes.StoresAKeyAfterItsMessage,
    'Of an append that a crash cuts off, the first so many operations are done, each wholly',
  ),
  broken(
    crashes.StoresMessagesFirst,
    'Of an append that a crash cuts off, the first so many operations are done, each wholly',
  ),
  broken(crashes.ClearsUpAfterOthers, 'A crash of one node does not disturb another'),
  broken(
    races.SendsToWhoIsRemovedMeanwhile,
    'A send to a client that is removed at once is stored before the removal, or refused',
    { failsNothingElse: true },
  ),
  broken(races.StopsWhoIsRemovedMeanwhile, 'Of a removal and a stop at once one ends the client'),
  broken(restarts.LosesClientsAtARestart, 'After a restart every client is there, and its tokens are taken'),
  broken(
    restarts.ProlongsLeasesAtARestart,
    'A restart between two sweeps that come in time prolongs no lease',
  ),
  broken(
    failures.StoresAKeyBeforeItsMessage,
    'What is rejected while the store fails, and repeated with its key, is stored once',
  ),
  broken(
    failures.OpensHalfAfterAFailure,
    'A provider that could not open while the store failed opens when it is back',
  ),
]
