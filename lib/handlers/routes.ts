import type { Middleware } from 'koa'
import type { ChannelClients } from '../channel-clients.ts'
import type { ChannelNode } from '../channel-node.ts'
import type { CompleteOptions } from '../options.ts'
import type { SubscribeContext } from '../subscribe/bare-context.ts'
import { endpointsBeside } from './endpoints.ts'
import { type RequestServer, takeFrom } from './fast-lane.ts'
import { type Endpoint, type Guarded, guarded } from './guarded.ts'
import { HeaderSubscriptions } from './header-subscriptions.ts'
import { checkPath, mountAt } from './mount.ts'
import { Origins } from './origins.ts'
import { asksApp, SubscribeEndpoint } from './subscribe-endpoint.ts'
import { TokenCookie } from './token-cookie.ts'

/** The ways into a channel over HTTP. */
export class Routes {
  readonly cookie: TokenCookie
  readonly #node: ChannelNode
  readonly #options: CompleteOptions
  readonly #clients: ChannelClients
  readonly #origins: Origins

  constructor(node: ChannelNode, options: CompleteOptions, clients: ChannelClients) {
    this.cookie = new TokenCookie(options.name)
    this.#node = node
    this.#options = options
    this.#clients = clients
    this.#origins = new Origins(options.origins)
  }

  /** As `CometStateManager.mount` says. */
  mount(path: string): Middleware {
    const endpoints = endpointsBeside(this.#node, this.#options, this.#clients, this.cookie)
    const beside = new Map([...endpoints].map(([name, endpoint]) => [name, this.#guarded(endpoint)]))
    return mountAt(path, { subscribe: this.subscribe(), beside })
  }

  subscribe(): Middleware {
    return this.#guarded(new SubscribeEndpoint(this.#node, this.#options, this.cookie, this.#origins))
  }

  /** As `CometStateManager.attach` says. */
  attach(server: RequestServer, path: string): void {
    checkPath(path)
    if (asksApp(this.#options)) {
      throw new TypeError(
        'The options identify and authorize are given the context that middleware has made, and attach() takes ' +
          'requests before it: use one or the other.',
      )
    }
    takeFrom(server, path, this.#guarded(new HeaderSubscriptions(this.#node, this.#options)))
  }

  #guarded<C extends SubscribeContext>(endpoint: Endpoint<C>): Guarded<C> {
    return guarded(endpoint, this.#origins, this.#node.events)
  }
}
