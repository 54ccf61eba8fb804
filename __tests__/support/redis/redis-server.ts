import { randomInt } from 'node:crypto'
import { createClient } from 'redis'
import { FolderGuard } from './folder-guard.ts'
import { PortIsTaken, type RedisConfig, RedisProcess } from './redis-process.ts'

export interface RedisServerOptions {
  /** More directives, or others than those that a server has here otherwise. */
  readonly config?: RedisConfig
}

/**
 * It keeps what it is told, but waits for no disk; and a replica is not kept waiting for others to be synchronised
 * together with it.
 */
const CONFIG: RedisConfig = {
  save: '',
  appendonly: 'yes',
  appendfsync: 'no',
  'repl-diskless-sync-delay': '0',
}

/**
 * Below those that the system gives to connections. Else a client that tries to reach a server which is down could be
 * given just that port, and be connected to itself.
 */
const PORTS = { from: 10_000, to: 32_000 } as const

/** How soon a replica is asked again whether it is in touch. */
const ASK_AGAIN_MS = 5

/**
 * A real redis-server on a port of 127.0.0.1, in a fresh folder of its own. It keeps port and folder over restarts.
 * Nothing is left of it when this process ends, however that is.
 */
export class RedisServer {
  readonly port: number
  readonly #guard: FolderGuard
  #config: RedisConfig
  #process: RedisProcess | undefined
  #client: ReturnType<typeof connectPlainly> | undefined
  #disposal: Promise<void> | undefined

  private constructor(port: number, guard: FolderGuard, config: RedisConfig) {
    this.port = port
    this.#guard = guard
    this.#config = config
  }

  /** Resolves when it takes connections. Rejects with the server's log if it does not start. */
  static async start({ config = {} }: RedisServerOptions = {}): Promise<RedisServer> {
    const guard = new FolderGuard('koa-comet-redis-')
    try {
      for (;;) {
        const server = new RedisServer(randomInt(PORTS.from, PORTS.to), guard, { ...CONFIG, ...config })
        if (await server.#hasStarted()) return server
      }
    } catch (error) {
      await guard.end()
      throw error
    }
  }

  /** `redis://127.0.0.1:<port>` */
  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  /** Where it stores what it stores. */
  get folder(): string {
    return this.#guard.folder
  }

  /** Undefined while it does not run. */
  get pid(): number | undefined {
    return this.#process?.pid
  }

  /** Ends it at once, as kill -9 does. Resolves when it has exited; at once if it does not run. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** Ends it orderly: it stores what its configuration says. Resolves when it has exited. */
  async stop(): Promise<void> {
    this.thaw()
    await this.#end('SIGTERM')
  }

  /**
   * Starts it again, after `stop()` if it runs, with what it has stored.
   * @param config changes the directives, also for restarts to come
   */
  async restart(config: RedisConfig = {}): Promise<void> {
    await this.stop()
    this.#config = { ...this.#config, ...config }
    await this.#start()
  }

  /** From now on it does nothing. The system goes on to accept connections, and to take bytes, in its place. */
  freeze(): void {
    this.#process?.signal('SIGSTOP')
  }

  /** It goes on, with all that it was sent meanwhile. */
  thaw(): void {
    this.#process?.signal('SIGCONT')
  }

  /** Makes it a replica of another one. Resolves when it has all that the other has. */
  async replicaOf({ port }: RedisServer): Promise<void> {
    await this.command('REPLICAOF', '127.0.0.1', String(port))
    while (!String(await this.command('INFO', 'replication')).includes('master_link_status:up')) {
      await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS))
    }
  }

  /** Makes a replica a primary, with what it has. */
  async promote(): Promise<void> {
    await this.command('REPLICAOF', 'NO', 'ONE')
  }

  /** Does one command, and answers as the server does in RESP 2. Rejects if the server ends meanwhile. */
  async command(...parts: string[]): Promise<unknown> {
    // One that somebody has killed at the server stays lost.
    if (!this.#client?.client.isOpen) this.#client = connectPlainly(this.url)
    const { client, connected } = this.#client
    await connected
    return client.sendCommand(parts)
  }

  /** Kills it, frozen or not, and deletes its folder. A second call returns the first promise. */
  dispose(): Promise<void> {
    this.#disposal ??= this.#dispose()
    return this.#disposal
  }

  async #dispose(): Promise<void> {
    await this.kill()
    await this.#guard.end()
  }

  async #hasStarted(): Promise<boolean> {
    try {
      await this.#start()
      return true
    } catch (error) {
      if (error instanceof PortIsTaken) return false
      throw error
    }
  }

  async #start(): Promise<void> {
    const config = { ...this.#config, port: String(this.port), bind: '127.0.0.1', dir: this.folder }
    await RedisProcess.start(config, (process) => {
      this.#process = process
      this.#guard.watch(process.pid)
      void process.exited.then(() => {
        this.#process = undefined
        this.#guard.watch(undefined)
        this.#client?.client.destroy()
        this.#client = undefined
      })
    })
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const process = this.#process
    process?.signal(signal)
    await process?.exited
  }
}

/** Once lost it stays lost. */
function connectPlainly(url: string) {
  const client = createClient({
    url,
    RESP: 2,
    socket: { reconnectStrategy: false },
    disableOfflineQueue: true,
    maintNotifications: 'disabled',
  })
  // Calls tell of it.
  client.on('error', () => {})
  return { client, connected: client.connect() }
}

const servers: RedisServer[] = []

/** A server that {@link disposeServers} disposes of. */
export async function startServer(options?: RedisServerOptions): Promise<RedisServer> {
  const server = await RedisServer.start(options)
  servers.push(server)
  return server
}

/** For `afterEach`: leaves nothing of what `startServer` has started. */
export async function disposeServers(): Promise<void> {
  await Promise.all(servers.splice(0).map((server) => server.dispose()))
}
