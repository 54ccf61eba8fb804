import type { MembershipFact } from './cluster-facts.ts'
import { ROOMS } from './cluster-orders.ts'
import { machineMs } from './machine-clock.ts'

/** Something that a page asked for. */
export interface GroupRequest {
  readonly group: string
  readonly action: 'join' | 'leave'
}

/** What a page knows of the groups of its client: what it was told, and what it has asked for. */
export class PageGroups {
  /** When the page was told that it is in, by group. */
  readonly #since = new Map<string, number>()
  /** What was asked for last, by group, and is not answered. */
  readonly #asked = new Map<string, GroupRequest>()
  /** What the page before asked for may still be carried out: nobody is sure of these groups any more. */
  readonly #unsure = new Set<string>()
  readonly #memberships: MembershipFact[]
  #publicToken = ''

  /** @param memberships where those that have ended are written down */
  constructor(memberships: MembershipFact[]) {
    this.#memberships = memberships
  }

  /** The page is a client now, which is in this group from the start. Another one than before joins what that was in. */
  begin(publicToken: string, group: string): void {
    const isFirst = this.#publicToken === ''
    this.#publicToken = publicToken
    this.#since.clear()
    if (isFirst) this.#since.set(group, machineMs())
    else for (const each of ROOMS) this.#unsure.add(each)
  }

  /** The page is loaded anew. */
  reload(): void {
    for (const group of this.#asked.keys()) {
      this.#unsure.add(group)
      this.#end(group)
    }
    this.#asked.clear()
  }

  /** What is next to be asked for. */
  next(group: string): 'join' | 'leave' {
    const asked = this.#asked.get(group)
    const isIn = asked ? asked.action === 'join' : this.#since.has(group)
    return isIn ? 'leave' : 'join'
  }

  ask(request: GroupRequest): void {
    this.#asked.set(request.group, request)
    if (request.action === 'leave') this.#end(request.group)
  }

  answered(request: GroupRequest): void {
    const { group, action } = request
    if (this.#asked.get(group) !== request) return
    this.#asked.delete(group)
    if (action === 'join' && !this.#unsure.has(group)) this.#since.set(group, machineMs())
  }

  /** What the page surely is a member of; undefined if it is not sure. */
  get surely(): string[] | undefined {
    return this.#asked.size + this.#unsure.size > 0 ? undefined : [...this.#since.keys()].sort()
  }

  /** The client is gone, or about to be. */
  end(): void {
    for (const group of [...this.#since.keys()]) this.#end(group)
  }

  #end(group: string): void {
    const fromMs = this.#since.get(group)
    this.#since.delete(group)
    if (fromMs !== undefined)
      this.#memberships.push({ publicToken: this.#publicToken, group, fromMs, toMs: machineMs() })
  }
}
