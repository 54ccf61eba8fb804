import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { REDIS_SERVER, redisRemedy } from './redis-binary.ts'

/** Directives of redis.conf by their names: `{ appendonly: 'yes', appendfsync: 'always' }`. */
export type RedisConfig = Readonly<Record<string, string>>

/** Somebody else listens on the port. */
export class PortIsTaken extends Error {
  override readonly name = 'PortIsTaken'
}

/** One life of a redis-server, from its start to its exit. */
export class RedisProcess {
  readonly pid: number
  /** Resolves when it has exited, for whatever reason. */
  readonly exited: Promise<void>
  readonly #child: ChildProcess
  #log = ''

  private constructor(child: ChildProcess) {
    this.#child = child
    this.pid = child.pid!
    this.exited = once(child, 'exit').then(() => undefined)
    for (const output of [child.stdout!, child.stderr!]) {
      output.setEncoding('utf8').on('data', (text: string) => {
        this.#log += text
      })
    }
  }

  /**
   * Starts one with these directives and no others. Resolves when it takes connections, with what it had stored loaded.
   * @param onSpawn told of the process at once
   * @throws PortIsTaken, or an error with its log if it ends before
   */
  static async start(config: RedisConfig, onSpawn: (process: RedisProcess) => void): Promise<RedisProcess> {
    const parameters = Object.entries(config).flatMap(([name, value]) => [`--${name}`, value])
    const child = spawn(REDIS_SERVER, parameters, { stdio: ['ignore', 'pipe', 'pipe'] })
    if (child.pid === undefined) {
      await once(child, 'error').catch(() => undefined)
      throw new Error(redisRemedy)
    }
    const process = new RedisProcess(child)
    onSpawn(process)
    await process.#ready()
    return process
  }

  /** Does nothing to one that has exited. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Its own word is awaited: another server that has the port would answer a PING as well. */
  async #ready(): Promise<void> {
    const { stdout } = this.#child
    await new Promise<void>((resolve, reject) => {
      stdout!.on('data', () => {
        if (this.#log.includes('Ready to accept connections')) resolve()
      })
      // With its streams at an end, where 'exit' may come before the last of the log.
      this.#child.once('close', () => {
        const message = `redis-server ended at its start:\n${this.#log}`
        reject(this.#log.includes('Address already in use') ? new PortIsTaken(message) : new Error(message))
      })
    })
    for (const output of [stdout!, this.#child.stderr!]) output.removeAllListeners('data').resume()
    this.#log = ''
  }
}
