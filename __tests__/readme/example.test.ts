import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { RegisterAnswer } from '../../lib/wire.ts'
import { launchChromium, testInChromium } from '../support/chromium.ts'
import { type ConsumerFolder, consumerFolder } from '../support/consumer-folder.ts'
import { poll } from '../support/page.ts'
import { freePort, type RunningModule, startServer } from '../support/running-module.ts'
import { block, replaced } from './blocks.ts'

/** An example has no route for this: it is asked by a signal. */
const TELL_HELD = `
process.on('SIGUSR2', () => console.error('held', channel.stats().heldRequests))
`

describe('The example of the README', () => {
  let folder: ConsumerFolder

  beforeAll(async () => {
    folder = await consumerFolder('koa', 'koa-comet')
    await folder.write('index.html', block('page'))
  })

  afterAll(async () => {
    await folder.remove()
  })

  async function start(environment = {}): Promise<RunningModule> {
    const port = await freePort()
    await folder.write('server.js', replaced(block('server'), '.listen(3000)', `.listen(${port})`))
    return startServer([process.execPath, 'server.js'], folder.path, port, environment)
  }

  test('is less than 15 lines of server', () => {
    expect(block('server').trimEnd().split('\n').length).toBeLessThan(15)
  })

  testInChromium(
    'shows the time in a browser, and goes on showing it',
    async () => {
      const server = await start()
      const browser = await launchChromium()
      try {
        const page = await browser.newPage()
        const errors: Error[] = []
        page.on('pageerror', (error) => errors.push(error))
        await page.goto(server.origin)
        const time = page.locator('#time')
        await page.waitForFunction(`/^\\d{4}-/.test(document.querySelector('#time').textContent)`)
        const first = await time.textContent()
        await page.waitForFunction((shown) => document.querySelector('#time')!.textContent !== shown, first)
        expect(Date.parse((await time.textContent())!)).toBeGreaterThan(Date.parse(first!))
        expect(errors).toEqual([])
      } finally {
        await browser.close()
        await server.stop()
      }
    },
    60_000,
  )

  test('ends in order on SIGTERM: the held poll is answered, and the process ends by itself', async () => {
    const port = await freePort()
    const listening = replaced(block('server'), '.listen(3000)', `.listen(${port})`)
    // With a slow clock, so that a poll is held when the signal comes.
    const slow = replaced(listening, '1000)', '60_000)')
    await folder.write('slow.js', slow + block('sigterm') + TELL_HELD)
    const server = await startServer([process.execPath, 'slow.js'], folder.path, port)
    try {
      const { privateToken } = await register(server.origin)
      const held = poll(`${server.origin}/comet`, privateToken)
      await heldOf(server)
      server.signal('SIGTERM')
      const { status, headers, messages } = await held
      expect(status).toBe(200)
      expect(messages.map(({ n }) => n)).toEqual(['aspNetComet.timeout'])
      expect(Number(headers.get('Retry-After'))).toBeGreaterThan(0)
      expect(Number(headers.get('Retry-After'))).toBeLessThanOrEqual(5)
      expect(await server.exited).toBe(0)
      expect(server.stderr()).not.toContain('Error')
    } finally {
      await server.stop()
    }
  })

  test('ends on SIGTERM although somebody does not finish a request', async () => {
    const port = await freePort()
    const listening = replaced(block('server'), '.listen(3000)', `.listen(${port})`)
    await folder.write('stuck.js', listening + replaced(block('sigterm'), '10_000', '100'))
    const server = await startServer([process.execPath, 'stuck.js'], folder.path, port)
    const stuck = connect(port, '127.0.0.1')
    try {
      // One that is answered first: the server has this connection then.
      stuck.write('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nPOST / HTTP/1.1\r\nContent-')
      await once(stuck, 'data')
      server.signal('SIGTERM')
      expect(await server.exited).toBe(0)
    } finally {
      stuck.destroy()
      await server.stop()
    }
  })

  test('tells of itself with NODE_DEBUG, without tokens', async () => {
    const [, names] = /^NODE_DEBUG='(.*)' node server.js$/m.exec(block('debug'))!
    const server = await start({ NODE_DEBUG: names! })
    try {
      const { privateToken, publicToken } = await register(server.origin)
      await poll(`${server.origin}/comet`, privateToken)
      await poll(`${server.origin}/comet`, 'of-nobody')
      expect(server.stderr()).toMatch(/^COMET \d+: /m)
      expect(server.stderr()).toMatch(/^COMET-SUBSCRIBE \d+: .*COMET_TOKEN_IS_UNKNOWN/m)
      expect(server.stderr()).toMatch(/^COMET-SUBSCRIBE \d+: .*subscribes/m)
      expect(server.stderr()).toContain(publicToken)
      expect(server.stderr()).not.toContain(privateToken)
    } finally {
      await server.stop()
    }
  })
})

async function register(origin: string): Promise<RegisterAnswer> {
  const answer = await fetch(`${origin}/comet/register`, { method: 'POST' })
  return (await answer.json()) as RegisterAnswer
}

/** Resolves when the server holds a poll. */
async function heldOf(server: RunningModule): Promise<void> {
  while (!server.stderr().endsWith('held 1\n')) {
    const before = server.stderr().length
    server.signal('SIGUSR2')
    while (server.stderr().length === before) await new Promise((resolve) => setImmediate(resolve))
  }
}
