import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

/** `stopping`: it takes no new requests, and answers those that it has. */
export type NodeState = 'starting' | 'running' | 'stopping' | 'dead'

/** What the page is told of a node. */
export interface NodeReport {
  readonly name: string
  readonly state: NodeState
  /** How long it has been in this state. */
  readonly seconds: number
  readonly pid: number | undefined
}

const PROGRAM = join(import.meta.dirname, 'node.js')

/** So that one sees that it is gone. */
const DEAD_FOR_MS = 2000

/** One node: a process, and the next one whenever that has ended. */
export class NodeProcess {
  readonly name: string
  readonly #redisUrl: string
  #child: ChildProcess | undefined
  #state: NodeState = 'dead'
  #changedAt = performance.now()
  #port: number | undefined
  #nextStart: NodeJS.Timeout | undefined
  #isEnding = false

  constructor(name: string, redisUrl: string) {
    this.name = name
    this.#redisUrl = redisUrl
  }

  /** Where it listens. Undefined unless it takes new requests. */
  get port(): number | undefined {
    return this.#state === 'running' ? this.#port : undefined
  }

  get report(): NodeReport {
    const seconds = Math.floor((performance.now() - this.#changedAt) / 1000)
    const pid = this.#state === 'dead' ? undefined : this.#child?.pid
    return { name: this.name, state: this.#state, seconds, pid }
  }

  /** Resolves when it listens. Rejects if it ends before; then, too, it is started again some seconds later. */
  start(): Promise<void> {
    const child = fork(PROGRAM, { env: { ...process.env, NODE_NAME: this.name, REDIS_URL: this.#redisUrl } })
    this.#child = child
    this.#enter('starting')
    return new Promise((resolve, reject) => {
      child.once('message', (port) => {
        this.#port = Number(port)
        this.#enter('running')
        resolve()
      })
      // A machine that has no room for a process says 'error', and nothing of an end.
      child.once('error', (error) => {
        if (child.pid === undefined) this.#ended(null)
        reject(error)
      })
      child.once('exit', (code) => {
        this.#ended(code)
        reject(new Error(`Node ${this.name} ended at its start.`))
      })
    })
  }

  /** As kill -9 does: whatever it is at is cut off. Who sends it requests finds out by that. */
  kill(): void {
    this.#child?.kill('SIGKILL')
  }

  /** First it gets no new requests; then it ends in order; then the next process begins. */
  restartGently(): void {
    if (this.#state !== 'running') return
    this.#enter('stopping')
    this.#child?.kill('SIGTERM')
  }

  /** Ends it in order, for good. */
  async end(): Promise<void> {
    this.#isEnding = true
    clearTimeout(this.#nextStart)
    if (this.#state === 'dead' || !this.#child) return
    const ended = once(this.#child, 'exit')
    this.#enter('stopping')
    this.#child.kill('SIGTERM')
    await ended
  }

  #ended(code: number | null): void {
    this.#enter('dead')
    if (this.#isEnding) return
    const pauseMs = code === 0 ? 0 : DEAD_FOR_MS
    this.#nextStart = setTimeout(() => this.start().catch(() => {}), pauseMs)
  }

  #enter(state: NodeState): void {
    this.#state = state
    this.#changedAt = performance.now()
  }
}
