import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { ROOT } from '../support/consumer-folder.ts'

export interface SampleProcess {
  readonly origin: string
  readonly port: number
  /** Sends the signal and waits for the end: the exit code, or null if the signal ended it. */
  end(signal: 'SIGKILL' | 'SIGTERM' | 'SIGINT'): Promise<number | null>
}

/**
 * A sample in a process of its own, as `npm run build` left it in dist. Ends with the test.
 * @param cwd where it is started
 */
export async function startSample(
  name: string,
  port = 0,
  environment: Readonly<Record<string, string>> = {},
  cwd = ROOT,
): Promise<SampleProcess> {
  const child: ChildProcess = spawn(process.execPath, [join(ROOT, `dist/samples/${name}/server.js`)], {
    cwd,
    env: { ...process.env, ...environment, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  const url = await Promise.race([firstUrl(child), exited.then(() => undefined)])
  if (url === undefined) throw new Error(`The sample ${name} did not start. Is dist older than the sources?`)
  return {
    origin: url.origin,
    port: Number(url.port),
    async end(signal) {
      child.kill(signal)
      await exited
      return child.exitCode
    },
  }
}

async function firstUrl({ stdout }: ChildProcess): Promise<URL | undefined> {
  for await (const line of createInterface({ input: stdout! })) {
    const url = /http:\S+/.exec(line)?.[0]
    if (url) return new URL(url)
  }
  return undefined
}
