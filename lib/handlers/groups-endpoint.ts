import type { Context } from 'koa'
import { checkGroup } from '../audience.ts'
import type { ChannelClients } from '../channel-clients.ts'
import { check } from '../checks.ts'
import type { CometClient } from '../comet-client.ts'
import { CometException } from '../comet-exception.ts'
import type { CompleteOptions } from '../options.ts'
import { unknownToken } from '../subscribe/client-lease.ts'
import type { GroupsAnswer } from '../wire.ts'
import { isAllowed } from './authorization.ts'
import { answerJson, type ClientRequests } from './client-requests.ts'
import type { Endpoint } from './guarded.ts'
import { parserOf, readFields } from './request-body.ts'

/** How many groups one request may name to join, and to leave. */
const MAX_NAMES = 100

/** Names of 128 characters, in JSON's longest form. */
const parse = parserOf(2 * MAX_NAMES * 800)

/**
 * `POST …/groups` with `{ join: [names], leave: [names] }`: a page joins and leaves groups itself. Unless all of them are
 * joinable, none is joined or left. Each name counts as a request.
 */
export class GroupsEndpoint implements Endpoint {
  readonly methods = ['POST']
  readonly #joinable: NonNullable<CompleteOptions['joinable']>
  readonly #clients: ChannelClients
  readonly #requests: ClientRequests

  constructor(
    joinable: NonNullable<CompleteOptions['joinable']>,
    clients: ChannelClients,
    requests: ClientRequests,
  ) {
    this.#joinable = joinable
    this.#clients = clients
    this.#requests = requests
  }

  async handle(ctx: Context): Promise<void> {
    const fields = await readFields(ctx, parse)
    const leaves = checkedNames('leave', fields.leave)
    const joins = checkedNames('join', fields.join)
    const lease = await this.#requests.clientOf(ctx, leaves.length + joins.length)
    const { client } = lease
    for (const group of leaves) await this.#checkMay(ctx, 'leave', client, group)
    for (const group of joins) await this.#checkMay(ctx, 'join', client, group)
    await this.#change(client, leaves, joins)
    // This node has applied the change by now.
    const answer: GroupsAnswer = { groups: lease.client.groups }
    answerJson(ctx, answer)
  }

  async #change(
    { publicToken, generation }: CometClient,
    leaves: readonly string[],
    joins: readonly string[],
  ): Promise<void> {
    const client = { publicToken, generation }
    try {
      // Left first: a client with as many groups as it may have can change one.
      await Promise.all([
        ...leaves.map((group) => this.#clients.leave(client, group)),
        ...joins.map((group) => this.#clients.join(client, group)),
      ])
    } catch (error) {
      // Of the one who asks, that is another thing.
      const isGone = error instanceof CometException && error.code === 'COMET_CLIENT_DOES_NOT_EXIST'
      throw isGone ? unknownToken() : error
    }
  }

  async #checkMay(ctx: Context, kind: 'join' | 'leave', client: CometClient, group: string): Promise<void> {
    await this.#requests.authorize(ctx, { kind, client, group })
    const isJoinable = () => isAllowed('joinable', async () => this.#joinable(client, group, kind))
    if (await this.#requests.ask(isJoinable)) return
    const text = `Pages may not ${kind} the group ${JSON.stringify(group)} themselves.`
    throw new CometException('COMET_GROUP_IS_REFUSED', text)
  }
}

function checkedNames(field: string, names: unknown = []): string[] {
  const isList = Array.isArray(names) && names.length <= MAX_NAMES
  check(isList, field, `a list of at most ${MAX_NAMES} names of groups`)
  return [...new Set(names.map(checkGroup))]
}
