import type {
  ClientFact,
  DepartureFact,
  ListFact,
  MembershipFact,
  ResetFact,
  SendFact,
} from './cluster-facts.ts'
import { FaultsRecord } from './faults-record.ts'
import type { Problem } from './problems.ts'

/** What a page was given, did, and was told. */
export class PageFacts {
  readonly record = new FaultsRecord()
  readonly clients: ClientFact[] = []
  readonly sends: SendFact[] = []
  readonly memberships: MembershipFact[] = []
  readonly lists: ListFact[] = []
  readonly resets: ResetFact[] = []
  readonly problems: Problem[] = []
  departure: DepartureFact | undefined
  deliveries = 0
  joins = 0
  leaves = 0
  reloads = 0
  crashes = 0
  /** Beacons of pages that are loaded anew at once. */
  returns = 0
  /** What failure handlers were told. */
  readonly failures: string[] = []
  /** How often the page was `disconnected`. */
  disconnections = 0
}
