import type { Middleware } from 'koa'
import {
  type CometOptions,
  CometStateManager,
  type ICometStateProvider,
  type InitializedCometClient,
  type InitializeParameters,
} from 'koa-comet'
import { InProcCometStateProvider } from 'koa-comet/providers/in-proc'
import { eventually } from './eventually.ts'
import { type Served, serve } from './serve.ts'

export interface SiteOptions {
  readonly options?: CometOptions
  readonly provider?: ICometStateProvider
  /** What is mounted before the channel. */
  readonly before?: readonly Middleware[]
  /** How the channel is mounted. Default: `channel.mount('/comet')`. */
  readonly mount?: (channel: CometStateManager) => Middleware
}

/** A Koa app with a channel at `/comet`, on a real port. */
export interface Site {
  readonly channel: CometStateManager
  readonly served: Served
  readonly port: number
  readonly url: string
  /** What the channel's event `error` told. */
  readonly errors: unknown[]
  /** What Koa's event `error` told. */
  readonly appErrors: unknown[]
  newClient(parameters?: Partial<InitializeParameters>): Promise<InitializedCometClient>
  /** Resolves when so many requests are held. */
  holds(count: number): Promise<void>
}

/** What pages see is tested twice: through Koa, and past it where a site lets that be. See `attached.config.js`. */
const isAttached = (globalThis as { attachSites?: boolean }).attachSites === true

const open: Site[] = []
let clients = 0

export async function openSite(siteOptions: SiteOptions = {}): Promise<Site> {
  const { options, provider = new InProcCometStateProvider(), before = [] } = siteOptions
  const { mount } = siteOptions
  const channel = new CometStateManager(provider, options)
  const errors: unknown[] = []
  channel.on('error', (error) => errors.push(error))
  const served = await serve(...before, mount ? mount(channel) : channel.mount())
  // What stands before the channel is there to meet its requests.
  const canBeAttached = before.length === 0 && !mount && !options?.identify && !options?.authorize
  if (isAttached && canBeAttached) channel.attach(served.server)
  const appErrors: unknown[] = []
  served.app.on('error', (error) => appErrors.push(error))
  const site: Site = {
    channel,
    served,
    port: served.port,
    url: `${served.origin}/comet`,
    errors,
    appErrors,
    newClient(parameters = {}) {
      clients += 1
      return channel.initializeClient({ publicToken: `client-${clients}`, ...parameters })
    },
    holds: (count) => eventually(() => channel.stats().heldRequests === count),
  }
  open.push(site)
  return site
}

/** For `afterEach`: closes what the test opened. */
export async function closeSites(): Promise<void> {
  for (const { channel, served } of open.splice(0)) {
    await channel.close({ overSeconds: 0 })
    await served.close()
  }
}
