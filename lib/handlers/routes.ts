import type { Middleware } from 'koa'
import type { ChannelClients } from '../channel-clients.ts'
import type { ChannelNode } from '../channel-node.ts'
import type { CompleteOptions } from '../options.ts'
import type { SubscribeContext } from '../subscribe/bare-context.ts'
import { Admissions } from './admissions.ts'
import { endpointsBeside } from './endpoints.ts'
import { type RequestServer, takeFrom } from './fast-lane.ts'
import { type Endpoint, type Guarded, guarded } from './guarded.ts'
import { HeaderSubscriptions } from './header-subscriptions.ts'
import { checkPath, mountAt } from './mount.ts'
import { Origins } from './origins.ts'
import { asksApp, SubscribeEndpoint } from './subscribe-endpoint.ts'
import { SubscribeTransports } from './subscribe-transports.ts'
import { TokenCookie } from './token-cookie.ts'

/** There is no promise of what is done at once, and middleware of the app may wait for one. */
const DONE = Promise.resolve()

/** The ways into a channel over HTTP. */
export class Routes {
  readonly cookie: TokenCookie
  readonly #node: ChannelNode
  readonly #options: CompleteOptions
  readonly #clients: ChannelClients
  readonly #origins: Origins
  readonly #byHeaders: HeaderSubscriptions
  readonly #subscribe: SubscribeEndpoint
  readonly #attached = new Set<() => void>()

  constructor(node: ChannelNode, options: CompleteOptions, clients: ChannelClients) {
    const cookie = new TokenCookie(options.name)
    const origins = new Origins(options.origins)
    const transports = new SubscribeTransports(options)
    const admissions = new Admissions(node, options)
    const byHeaders = new HeaderSubscriptions(node, transports, admissions)
    this.cookie = cookie
    this.#node = node
    this.#options = options
    this.#clients = clients
    this.#origins = origins
    this.#byHeaders = byHeaders
    this.#subscribe = new SubscribeEndpoint({
      node,
      options,
      cookie,
      origins,
      transports,
      admissions,
      byHeaders,
    })
  }

  /** As `CometStateManager.mount` says. */
  mount(path: string): Middleware {
    const endpoints = endpointsBeside(this.#node, this.#options, this.#clients, this.cookie)
    const beside = new Map([...endpoints].map(([name, endpoint]) => [name, this.#middleware(endpoint)]))
    return mountAt(path, { subscribe: this.subscribe(), beside })
  }

  subscribe(): Middleware {
    return this.#middleware(this.#subscribe)
  }

  /** As `CometStateManager.attach` says. */
  attach(server: RequestServer, path: string): () => void {
    checkPath(path)
    if (asksApp(this.#options)) {
      const option = this.#options.identify ? 'identify' : 'authorize'
      throw new TypeError(
        `The option ${option} is given the context that middleware has made, and attach() takes requests before ` +
          'that: use one or the other.',
      )
    }
    const detach = takeFrom(server, {
      path,
      subscribe: this.#guarded(this.#byHeaders),
      failed: (error) => this.#node.failed(error),
    })
    this.#attached.add(detach)
    return () => {
      this.#attached.delete(detach)
      detach()
    }
  }

  /** Ends all that was attached. */
  detach(): void {
    // The last one first: of two on one server, the second has the first one's listener.
    for (const detach of [...this.#attached].reverse()) detach()
    this.#attached.clear()
  }

  #middleware(endpoint: Endpoint): Middleware {
    const handle = this.#guarded(endpoint)
    return function cometEndpoint(ctx) {
      return handle(ctx) ?? DONE
    }
  }

  #guarded<C extends SubscribeContext>(endpoint: Endpoint<C>): Guarded<C> {
    return guarded(endpoint, this.#origins, this.#node.events)
  }
}
