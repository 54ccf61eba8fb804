import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

/**
 * Runs nginx as long as its input is open, and removes its folder then: the system closes the input however this process
 * ends.
 */
const WATCHER = 'nginx -p "$1" -c nginx.conf & cat >/dev/null; kill -TERM $! 2>/dev/null; wait $!; rm -r "$1"'

/** nginx with one worker, in a folder of its own, until this process ends. */
export class Nginx {
  #pids = []
  port = 0

  /** @param configure says what nginx.conf has for a port */
  async start(configure) {
    this.port = await freePort()
    const folder = mkdtempSync(join(tmpdir(), 'nginx-'))
    writeFileSync(join(folder, 'nginx.conf'), configure(this.port))
    // Signals of a terminal go to its group: it has to outlive them, to clean up.
    const watcher = spawn('sh', ['-c', WATCHER, 'sh', folder], {
      stdio: ['pipe', 'inherit', 'inherit'],
      detached: true,
      // Where Debian has it; not on everybody's path.
      env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` },
    })
    const [master] = await untilChildren(watcher.pid, 'nginx')
    this.#pids = [master, ...(await untilChildren(master, 'nginx'))]
  }

  /** User and system time so far, in microseconds. */
  cpu() {
    const nanoseconds = this.#pids.map((pid) => Number(readProcess(pid, 'schedstat').split(' ')[0]))
    return sum(nanoseconds) / 1000
  }

  residentBytes() {
    const kilobytes = this.#pids.map((pid) => Number(/^VmRSS:\s*(\d+)/m.exec(readProcess(pid, 'status'))[1]))
    return sum(kilobytes) * 1024
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

/** Resolves with the children of a process that have this name, when there are some. */
async function untilChildren(parent, name) {
  for (let tried = 0; tried < 250; tried++) {
    const children = readProcess(parent, `task/${parent}/children`).split(' ').filter(Boolean)
    const named = children.filter((pid) => readProcess(pid, 'comm').trim() === name)
    if (named.length > 0) return named
    await pause(20)
  }
  throw new Error(`${name} has not started.`)
}

function readProcess(pid, file) {
  return readFileSync(`/proc/${pid}/${file}`, 'utf8')
}

function sum(numbers) {
  return numbers.reduce((all, number) => all + number, 0)
}
