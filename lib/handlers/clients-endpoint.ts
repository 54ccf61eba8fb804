import type { Context } from 'koa'
import { checkGroup } from '../audience.ts'
import type { ChannelClients } from '../channel-clients.ts'
import type { ChannelNode } from '../channel-node.ts'
import { check } from '../checks.ts'
import { type PublicCometClient, publicPartOf } from '../comet-client.ts'
import type { CompleteOptions } from '../options.ts'
import type { ClientsAnswer } from '../wire.ts'
import { isAllowed, refusedAction } from './authorization.ts'
import { answerJson, type ClientRequests } from './client-requests.ts'
import type { Endpoint } from './guarded.ts'
import { SharedCalls } from './shared-calls.ts'

/** How many clients a page is shown. Of more it is told how many. */
const MAX_LISTED = 1000

/** How many are looked at before others get a turn of the event loop. */
const CLIENTS_PER_TURN = 200

/** `GET …/clients?group=<name>`: who is in a group; without one, who is there at all. */
export class ClientsEndpoint implements Endpoint {
  readonly methods = ['GET']
  readonly #clientList: NonNullable<CompleteOptions['clientList']>
  readonly #node: ChannelNode
  readonly #clients: ChannelClients
  readonly #requests: ClientRequests
  readonly #lists = new SharedCalls((group: string | undefined) => this.#list(group))

  constructor(
    clientList: NonNullable<CompleteOptions['clientList']>,
    node: ChannelNode,
    clients: ChannelClients,
    requests: ClientRequests,
  ) {
    this.#clientList = clientList
    this.#node = node
    this.#clients = clients
    this.#requests = requests
  }

  async handle(ctx: Context): Promise<void> {
    const group = groupOf(ctx)
    const { client } = await this.#requests.clientOf(ctx)
    await this.#requests.authorize(ctx, { kind: 'clients', client, group })
    const mayList = () => isAllowed('clientList', async () => this.#clientList(client, group))
    if (!(await this.#requests.ask(mayList))) throw refusedAction()
    answerJson(ctx, await this.#lists.of(group))
  }

  async #list(group: string | undefined): Promise<ClientsAnswer> {
    const { head: asOf } = this.#node.log
    const clients: PublicCometClient[] = []
    const users = new Set<string>()
    let count = 0
    // The list is of later than this position: notices from there on, told once more, come to the same.
    for await (const client of this.#clients.list(group === undefined ? {} : { group })) {
      count += 1
      if (count <= MAX_LISTED) clients.push(publicPartOf(client))
      if (client.userId !== undefined) users.add(client.userId)
      if (count % CLIENTS_PER_TURN === 0) await new Promise(setImmediate)
    }
    const counts = { clients: count, users: users.size }
    return { clients, counts, asOf }
  }
}

function groupOf(ctx: Context): string | undefined {
  const { group } = ctx.query
  check(!Array.isArray(group), 'group', 'given once')
  return group === undefined ? undefined : checkGroup(group)
}
