import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A server in a process of its own. */
export interface RunningModule {
  /** `http://127.0.0.1:<port>` */
  readonly origin: string
  /** What it has written to stderr so far. */
  stderr(): string
  /** Resolves with its exit code, or the signal that ended it. */
  readonly exited: Promise<number | string>
  signal(signal: NodeJS.Signals): void
  /** Ends it, if it still runs. */
  stop(): Promise<void>
}

/** A server that starts needs the processor more than who asks for it. */
const ASK_AGAIN_MS = 20

/** A port of the loopback address that was free just now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Starts a program that will listen on the port. Resolves when it does; rejects if it ends before. */
export async function startServer(
  command: readonly [program: string, ...arguments: string[]],
  folder: string,
  port: number,
  environment: Readonly<Record<string, string>> = {},
): Promise<RunningModule> {
  const [program, ...parameters] = command
  const child = spawn(program, parameters, {
    cwd: folder,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let errors = ''
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  const exited = exitOf(child)
  // A program that is not there ends before anybody asks how.
  exited.catch(() => {})
  const origin = `http://127.0.0.1:${port}`
  while (!(await answers(origin))) {
    await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS))
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`${program} ended at its start: ${errors}`)
  }
  return {
    origin,
    stderr: () => errors,
    exited,
    signal: (signal) => child.kill(signal),
    async stop() {
      child.kill('SIGKILL')
      await exited
    },
  }
}

async function exitOf(child: ChildProcess): Promise<number | string> {
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null]
  return code ?? signal!
}

async function answers(origin: string): Promise<boolean> {
  try {
    const response = await fetch(origin)
    await response.arrayBuffer()
    return true
  } catch {
    return false
  }
}
