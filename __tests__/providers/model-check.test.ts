import { describe, expect, test } from '@jest/globals'
import { type ModelCheckReport, modelCheck } from '../../providers/contract/model-check.ts'
import { shrink } from '../../providers/contract/shrink.ts'
import { StopsWhomItExcepts } from './broken-audiences.ts'
import { GivesTheClaimOfADeadRunAgain, KeepsClaimsToItself } from './broken-claims.ts'
import { AnswersBeforeItStores, ClearsUpAfterOthers, StoresAKeyAfterItsMessage } from './broken-crashes.ts'
import { LeavesNoGroupWhenItIsIdle } from './broken-departures.ts'
import {
  JoinsInitialGroupsLater,
  LosesClaimsAtARestart,
  StopsWhoWasAMemberBefore,
  TellsAgainOfWhomItHasStopped,
} from './broken-durable-groups.ts'
import { DropsEntriesOfOthers, KeepsKeysToItself, LosesTheKey } from './broken-feeds.ts'
import { ForgetsWhereSomebodyWasAMember } from './broken-groups.ts'
import { LetsAnyPageSayGoodbye, RenewsForAnEarlierBearer } from './broken-leases.ts'
import { ListensATurnAfterReset } from './broken-openings.ts'
import { createStorage } from './broken-providers.ts'
import { SendsToWhoIsRemovedMeanwhile } from './broken-races.ts'
import { ForgetsHoldersAtARestart, LosesKeysAtARestart } from './broken-restarts.ts'
import { RepeatsWhatWasNotAnswered, StoresLaterWhatItRejected } from './broken-under-failure.ts'
import { TellsOfAnOldName } from './broken-updates.ts'
import { createDurableStorage } from './durable-store.ts'

async function messageOf(check: Promise<void>): Promise<string> {
  return check.then(
    () => 'passed',
    (error: Error) => error.message,
  )
}

/** What the check says of a broken provider, by a seed that meets every one of these faults: some need luck. */
function complaintOf(create: () => ReturnType<typeof createStorage>): Promise<string> {
  return messageOf(modelCheck(create, { steps: 3000, seed: 7 }))
}

function stepsOf(message: string): string[] {
  return message.split('\n').filter((line) => /^ {2}\d+\. /.test(line))
}

describe('The model check', () => {
  test.each(
    [
      DropsEntriesOfOthers,
      ForgetsWhereSomebodyWasAMember,
      GivesTheClaimOfADeadRunAgain,
      KeepsClaimsToItself,
      KeepsKeysToItself,
      LeavesNoGroupWhenItIsIdle,
      LosesTheKey,
      LetsAnyPageSayGoodbye,
      ListensATurnAfterReset,
      RenewsForAnEarlierBearer,
      StopsWhomItExcepts,
      TellsOfAnOldName,
    ].map((Broken) => ({ name: Broken.name, Broken })),
  )('finds the provider that $name, with few steps', async ({ Broken }) => {
    const message = await complaintOf(() => createStorage(Broken))
    expect(message).toMatch(/COMET_CONTRACT_SEED=\d+/)
    expect(stepsOf(message).length).toBeGreaterThan(0)
    expect(stepsOf(message).length).toBeLessThanOrEqual(8)
  })

  test.each(
    [
      AnswersBeforeItStores,
      ClearsUpAfterOthers,
      ForgetsHoldersAtARestart,
      JoinsInitialGroupsLater,
      LosesClaimsAtARestart,
      LosesKeysAtARestart,
      RepeatsWhatWasNotAnswered,
      SendsToWhoIsRemovedMeanwhile,
      StoresAKeyAfterItsMessage,
      StopsWhoWasAMemberBefore,
      StoresLaterWhatItRejected,
      TellsAgainOfWhomItHasStopped,
    ].map((Broken) => ({ name: Broken.name, Broken })),
  )('finds the provider of a durable store that $name, with few steps', async ({ Broken }) => {
    const message = await complaintOf(() => createDurableStorage(Broken))
    expect(stepsOf(message).length).toBeGreaterThan(0)
    expect(stepsOf(message).length).toBeLessThanOrEqual(8)
  })

  test('All that can go wrong is tried, and counted', async () => {
    const reports: ModelCheckReport[] = []
    const onPass = (report: ModelCheckReport) => reports.push(report)
    await modelCheck(() => createDurableStorage(), { seed: 7, steps: 1000, onPass })
    const { races, restarts, crashes, interruptions } = reports[0]!
    for (const count of [races, restarts, crashes, interruptions]) expect(count).toBeGreaterThan(0)
  })

  test('A seed decides the history, so that a failure can be seen again', async () => {
    const check = () => modelCheck(() => createStorage(LosesTheKey), { seed: 7, steps: 100 })
    const [once, again] = [await messageOf(check()), await messageOf(check())]
    expect(stepsOf(once).length).toBeGreaterThan(0)
    expect(stepsOf(again)).toEqual(stepsOf(once))
  })

  test('A seed that is no whole number is refused', async () => {
    await expect(modelCheck(() => createStorage(), { seed: Number.NaN })).rejects.toThrow(
      'seed must be a whole number',
    )
  })

  test('What passes is reported with its seed, if asked for', async () => {
    const reports: unknown[] = []
    await modelCheck(() => createStorage(), { seed: 7, steps: 150, onPass: (report) => reports.push(report) })
    expect(reports).toMatchObject([{ seed: 7, histories: 2, steps: 150 }])
  })

  test('A store whose clock cannot be moved is checked without moving it', async () => {
    const create = () => {
      const { createProvider, dispose } = createStorage()
      return { createProvider, dispose }
    }
    expect(await messageOf(modelCheck(create, { steps: 500 }))).toBe('passed')
  })
})

describe('shrink', () => {
  test('leaves only what a list fails with', async () => {
    const fails = async (list: readonly number[]) => list.includes(3) && list.includes(77)
    const failing = Array.from({ length: 100 }, (_, index) => index)
    expect(await shrink(failing, fails)).toEqual([3, 77])
  })

  test('stops after so many tries with what still fails', async () => {
    let tries = 0
    const fails = async (list: readonly number[]) => {
      tries += 1
      return list.includes(3)
    }
    const shorter = await shrink([1, 2, 3, 4, 5, 6, 7, 8], fails, 2)
    expect(tries).toBe(2)
    expect(shorter).toContain(3)
  })
})
