import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe } from '@jest/globals'
import { freePort, startServer } from '../support/running-module.ts'
import { replaced } from './blocks.ts'

const NGINX = process.env.NGINX_PATH ?? '/usr/sbin/nginx'

const BODIES = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']

/** `describe`, if there is an nginx. With CI=true there must be one. */
export const describeBehindNginx: typeof describe.skip =
  existsSync(NGINX) || process.env.CI === 'true' ? describe : describeWithout(`apt-get install nginx-light`)

export interface Nginx {
  /** `http://127.0.0.1:<port>` */
  readonly origin: string
  /** New workers take what comes from now on; the old ones end within a second, and with them what they hold. */
  reload(): void
  /** Ends it, with all that it holds, and starts it again on the same port. */
  restart(): Promise<void>
  close(): Promise<void>
}

/**
 * Starts one before an app on this port of the loopback address.
 * @param location the configuration's `location`, before an app on port 3000
 */
export async function startNginx(location: string, appPort: number): Promise<Nginx> {
  const folder = await mkdtemp(join(tmpdir(), 'comet-nginx-'))
  const port = await freePort()
  const file = join(folder, 'nginx.conf')
  await writeFile(
    file,
    configuration(folder, port, replaced(location, '127.0.0.1:3000', `127.0.0.1:${appPort}`)),
  )
  const start = () => startServer([NGINX, '-p', folder, '-e', 'stderr', '-c', file], folder, port)
  const remove = () => rm(folder, { recursive: true })
  let running = await start().catch(async (error: unknown) => {
    await remove()
    throw error
  })
  const end = async (): Promise<void> => {
    // Killed, the master would leave its worker behind.
    running.signal('SIGTERM')
    await running.exited
  }
  return {
    origin: running.origin,
    reload: () => running.signal('SIGHUP'),
    async restart() {
      await end()
      running = await start()
    },
    async close() {
      await end()
      await remove()
    },
  }
}

/** The location as it is, in what it needs around it. */
function configuration(folder: string, port: number, location: string): string {
  const temporary = BODIES.map((name) => `${name}_temp_path ${join(folder, name)};`).join('\n')
  return `
daemon off;
worker_processes 1;
worker_shutdown_timeout 1s;
${process.getuid?.() === 0 ? 'user root;' : ''}
pid ${join(folder, 'nginx.pid')};
events {}
http {
  access_log off;
  ${temporary}
  server {
    listen 127.0.0.1:${port};
    ${location}
  }
}
`
}

/** Says so itself: jest prints nothing of a file that is skipped as a whole. */
function describeWithout(remedy: string): typeof describe.skip {
  process.stderr.write(`Skipped what needs nginx, since there is none at ${NGINX}: ${remedy}\n`)
  return describe.skip
}
