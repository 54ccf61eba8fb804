import { NodeProcess } from './node-process.ts'

const NAMES = ['1', '2', '3']

/** The nodes, and whose turn it is. */
export class Fleet {
  readonly nodes: readonly NodeProcess[]
  #turn = 0

  /** @param redisUrl the server that all of them share */
  constructor(redisUrl: string) {
    this.nodes = NAMES.map((name) => new NodeProcess(name, redisUrl))
  }

  /** Resolves when all of them listen. Rejects if one cannot. */
  async start(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.start()))
  }

  /** The ports of the nodes that take a request: first that of the one whose turn it is. Each call is a turn. */
  nextPorts(): number[] {
    const ports = this.nodes.map(({ port }) => port).filter((port) => port !== undefined)
    this.#turn = ports.length > 0 ? (this.#turn + 1) % ports.length : 0
    return [...ports.slice(this.#turn), ...ports.slice(0, this.#turn)]
  }

  /** Ends all of them in order. */
  async end(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.end()))
  }
}
