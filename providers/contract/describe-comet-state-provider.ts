import { checkOptions, checkStorage } from './check-options.ts'
import { type Gap, Gaps } from './gaps.ts'
import { type ModelCheckOptions, modelCheck } from './model-check.ts'
import { DEFAULT_SETTLE_SECONDS, ProviderNodes } from './provider-nodes.ts'
import type { ProviderStorage } from './provider-storage.ts'
import type { Rule } from './rule.ts'
import { rulesOfAudiences } from './rules-of-audiences.ts'
import { rulesOfBeingSeen } from './rules-of-being-seen.ts'
import { rulesOfClaims } from './rules-of-claims.ts'
import { rulesOfClients } from './rules-of-clients.ts'
import { rulesOfCrashedGroups } from './rules-of-crashed-groups.ts'
import { rulesOfCrashes } from './rules-of-crashes.ts'
import { rulesOfDepartures } from './rules-of-departures.ts'
import { rulesOfGroups } from './rules-of-groups.ts'
import { rulesOfInterruptions } from './rules-of-interruptions.ts'
import { rulesOfKeys } from './rules-of-keys.ts'
import { rulesOfLargeStops } from './rules-of-large-stops.ts'
import { rulesOfLeases } from './rules-of-leases.ts'
import { rulesOfMemberships } from './rules-of-memberships.ts'
import { rulesOfOpening } from './rules-of-opening.ts'
import { rulesOfOpeningAmidAppends } from './rules-of-opening-amid-appends.ts'
import { rulesOfRaces } from './rules-of-races.ts'
import { rulesOfRacingDepartures } from './rules-of-racing-departures.ts'
import { rulesOfRacingGroups } from './rules-of-racing-groups.ts'
import { rulesOfReadingAmidRemovals } from './rules-of-reading-amid-removals.ts'
import { rulesOfRemembering } from './rules-of-remembering.ts'
import { rulesOfRemoval } from './rules-of-removal.ts'
import { rulesOfRestartedGroups } from './rules-of-restarted-groups.ts'
import { rulesOfRestarting } from './rules-of-restarting.ts'
import { rulesOfRetention } from './rules-of-retention.ts'
import { rulesOfStopping } from './rules-of-stopping.ts'
import { rulesOfSupports } from './rules-of-supports.ts'
import { rulesOfTheLog } from './rules-of-the-log.ts'
import { rulesOfTwoNodes } from './rules-of-two-nodes.ts'
import { rulesOfUnsweptTime } from './rules-of-unswept-time.ts'
import { rulesOfUpdates } from './rules-of-updates.ts'
import { rulesOfUsers } from './rules-of-users.ts'

export interface ContractOptions {
  /** Makes a fresh, empty store. Called once for each rule, and once for each history of the model check. */
  readonly create: () => ProviderStorage | Promise<ProviderStorage>
  /** Groups tests under a name: `describe` of jest, `node:test`, mocha or vitest. */
  readonly describe: (name: string, body: () => void) => unknown
  /** Registers a test: `test` or `it` of the same runner. If the store's clock cannot be moved, one takes 16 s. */
  readonly test: (name: string, body: () => Promise<void>) => unknown
  /**
   * What `create()` does not give: `'advance'`, `'crash'`, `'interruptions'`. The titles of the tests say then what is
   * not tested for want of it. Default: nothing; what is missing all the same is warned of
   * (`COMET_CONTRACT_NOT_TESTED`).
   */
  readonly without?: readonly Gap[]
  /**
   * How long calls may take to end when `close` comes in their way, or when the store fails, and a provider to find out
   * that it is back. Default 10, as long as a manager waits. A test that fails for it takes as long, so the runner
   * should wait longer.
   */
  readonly settleSeconds?: number
  /** How the model check runs. Default: 3,000 steps with a seed from the clock. */
  readonly modelCheck?: ModelCheckOptions
}

/**
 * Registers the tests that every state provider has to pass, and the model check: random histories of two nodes over
 * one store, compared with a simple model. It needs no runner of its own and asserts with `node:assert`.
 *
 * A provider whose `supports.durable` is true must go on after a restart or a crash in the same life of the log, with
 * nothing missing. One that promises less says false, as where a power cut can take the newest entries: it may begin a
 * new life. That a true promise holds in a power cut the suite takes on trust.
 *
 * @param name what the tests are listed under, usually the provider's class name
 * @throws TypeError for an option that is unknown, of another type, or stands at the wrong level. What `create()` gives
 * is checked as well: the tests fail with it then
 */
export function describeCometStateProvider(name: string, options: ContractOptions): void {
  checkOptions(options)
  const { describe, test, without = [], settleSeconds = DEFAULT_SETTLE_SECONDS } = options
  const gaps = new Gaps(name, without)
  const create = async (): Promise<ProviderStorage> => {
    const storage = await options.create()
    checkStorage(storage)
    return storage
  }
  const ruleThatNeeds = (need?: Gap): Rule => {
    return (sentence, body) => {
      test(gaps.titleOf(sentence, need), async () => {
        const storage = await create()
        const nodes = new ProviderNodes(storage, settleSeconds)
        try {
          if (need !== undefined && !gaps.isGiven(storage, need)) return
          await body(nodes)
          nodes.assertSound()
        } finally {
          await nodes.dispose()
        }
      })
    }
  }
  const rule = ruleThatNeeds()
  describe(`${name} keeps the contract of a state provider`, () => {
    describe('what is supported', () => rulesOfSupports(rule))
    describe('opening and closing', () => rulesOfOpening(rule))
    describe('the log', () => rulesOfTheLog(rule))
    describe('two nodes', () => {
      rulesOfTwoNodes(rule)
      rulesOfOpeningAmidAppends(rule)
      rulesOfReadingAmidRemovals(rule)
    })
    describe('keys', () => rulesOfKeys(rule))
    describe('clients', () => rulesOfClients(rule))
    describe('users', () => rulesOfUsers(rule))
    describe('groups', () => {
      rulesOfGroups(rule)
      rulesOfMemberships(rule)
    })
    describe('updates', () => rulesOfUpdates(rule))
    describe('leases', () => rulesOfLeases(rule))
    describe('being seen', () => rulesOfBeingSeen(rule))
    describe('removal', () => rulesOfRemoval(rule))
    describe('unswept time', () => rulesOfUnsweptTime(rule))
    describe('departures', () => rulesOfDepartures(rule))
    describe('stopping', () => {
      rulesOfStopping(rule)
      rulesOfLargeStops(rule)
    })
    describe('audiences', () => rulesOfAudiences(rule))
    describe('claims', () => rulesOfClaims(rule))
    describe('races', () => {
      rulesOfRaces(rule)
      rulesOfRacingGroups(rule)
      rulesOfRacingDepartures(rule)
    })
    describe('restarting', () => {
      rulesOfRestarting(rule)
      rulesOfRestartedGroups(rule)
    })
    describe('crashes', () => {
      rulesOfCrashes(ruleThatNeeds('crash'))
      rulesOfCrashedGroups(ruleThatNeeds('crash'))
    })
    describe('interruptions', () => rulesOfInterruptions(ruleThatNeeds('interruptions')))
    describe('retention', () => rulesOfRetention(rule))
    describe('remembering', () => rulesOfRemembering(rule))
    describe('model check', () => {
      test(gaps.titleOfHistories('random histories agree with the model'), () => {
        const createChecked = async () => gaps.checked(await create())
        return modelCheck(createChecked, options.modelCheck ?? {}, settleSeconds)
      })
    })
  })
}
