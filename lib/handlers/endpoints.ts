import type { ChannelClients } from '../channel-clients.ts'
import type { ChannelNode } from '../channel-node.ts'
import type { CompleteOptions } from '../options.ts'
import { ClientRequests } from './client-requests.ts'
import { ClientScriptEndpoint } from './client-script-endpoint.ts'
import { ClientsEndpoint } from './clients-endpoint.ts'
import { GoodbyeEndpoint } from './goodbye-endpoint.ts'
import { GroupsEndpoint } from './groups-endpoint.ts'
import type { Endpoint } from './guarded.ts'
import { notOffered } from './not-offered.ts'
import { RegisterEndpoint } from './register-endpoint.ts'
import { SendEndpoint } from './send-endpoint.ts'
import type { TokenCookie } from './token-cookie.ts'

/** The addresses of a channel beside the subscribe address, by name, as far as options switch them on. */
export function endpointsBeside(
  node: ChannelNode,
  options: CompleteOptions,
  clients: ChannelClients,
  cookie: TokenCookie,
): ReadonlyMap<string, Endpoint> {
  const { register, joinable, clientList, clientScript, maxUpstreamBytes } = options
  const requests = new ClientRequests(node, options, cookie)
  const endpoints = new Map<string, Endpoint>([
    ['goodbye', new GoodbyeEndpoint(node, cookie)],
    ['send', new SendEndpoint(node.upstream, requests, maxUpstreamBytes)],
    ['groups', joinable ? new GroupsEndpoint(joinable, clients, requests) : notOffered('joinable')],
    [
      'clients',
      clientList ? new ClientsEndpoint(clientList, node, clients, requests) : notOffered('clientList'),
    ],
  ])
  if (register) endpoints.set('register', new RegisterEndpoint(register, options, cookie, clients))
  if (clientScript) {
    for (const script of ['client.js', 'client.global.js'] as const) {
      endpoints.set(script, new ClientScriptEndpoint(script))
    }
  }
  return endpoints
}
