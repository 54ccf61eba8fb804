import { inspect } from 'node:util'
import { afterEach, expect, jest, test } from '@jest/globals'
import { InProcCometStateProvider } from 'koa-comet/providers/in-proc'
import { GatedProvider } from '../support/gated-provider.ts'
import { glance, poll } from '../support/page.ts'
import { closeSites, openSite } from '../support/site.ts'

afterEach(async () => {
  jest.restoreAllMocks()
  await closeSites()
})

/** Keeps all that anybody says while a test runs. */
function listen(): unknown[] {
  const said: unknown[] = []
  for (const method of ['log', 'info', 'warn', 'error', 'debug', 'trace'] as const) {
    jest.spyOn(console, method).mockImplementation((...words) => void said.push(...words))
  }
  jest.spyOn(process.stdout, 'write').mockImplementation((chunk) => said.push(chunk) > 0)
  jest.spyOn(process.stderr, 'write').mockImplementation((chunk) => said.push(chunk) > 0)
  jest.spyOn(process, 'emitWarning').mockImplementation((warning) => void said.push(warning))
  return said
}

test('F19: no token is ever logged, told to an error listener, or answered, whatever goes wrong', async () => {
  const said = listen()
  let user: string | null = 'ann'
  const site = await openSite({
    options: {
      identify: () => {
        if (user === 'broken') throw new Error('no store')
        return user
      },
      register: () => {
        throw new Error('no register')
      },
    },
  })
  // Koa says all that it would say in an app.
  site.served.app.silent = false
  const { privateToken } = await site.newClient({ userId: 'ann' })
  const unknown = 'unknown-token-0123456789-0123456789-0123456'
  const answers: string[] = []
  for (const token of [privateToken, unknown]) {
    const spoiled = [
      ['application/json', `{"privateToken":"${token}"`],
      ['application/json', `\ufeff{"privateToken":"${token}"}`],
      ['application/json', `{"__proto__":{},"privateToken":"${token}"}`],
      ['application/json', `"${token}"`],
      ['application/json', `{"privateToken":"${token}","lastMessageId":"x"}`],
      ['application/json', `{"privateToken":"${token}","x":"${'y'.repeat(5000)}"}`],
      ['application/x-www-form-urlencoded', `privateToken=${token}&privateToken=${token}`],
      ['application/x-www-form-urlencoded', `privateToken=${token}&lastMessageId=x`],
      ['application/x-www-form-urlencoded', `privateToken=${token}&x=${'y'.repeat(5000)}`],
      ['application/x-www-form-urlencoded', `privateToken=${token}&page=a b`],
      ['text/plain', `privateToken=${token}`],
    ]
    for (const address of ['', '/register', '/goodbye']) {
      for (const [type = '', body = ''] of spoiled) {
        const response = await fetch(site.url + address, {
          method: 'POST',
          headers: { 'Content-Type': type, Prefer: 'wait=0' },
          body,
        })
        answers.push(await response.text())
      }
    }
    for (const next of ['ann', 'bob', null, 'broken']) {
      user = next
      answers.push(inspect(await glance(site.url, token), { depth: 9 }))
      answers.push(inspect(await glance(site.url, token, { cursor: token }), { depth: 9 }))
      answers.push(inspect(await glance(site.url, token, { headers: { 'Comet-Page': token } }), { depth: 9 }))
    }
    user = 'ann'
  }
  const aborted = new AbortController()
  const polling = poll(site.url, privateToken, { signal: aborted.signal }).catch(() => {})
  await site.holds(1)
  aborted.abort()
  await Promise.all([polling, site.holds(0)])
  await site.channel.close()
  answers.push(inspect(await glance(site.url, privateToken), { depth: 9 }))

  // The test hears: what register threw came through.
  expect(inspect(site.errors)).toContain('no register')
  const told = inspect([said, site.errors, site.appErrors, answers], {
    depth: 12,
    showHidden: true,
    maxStringLength: null,
    maxArrayLength: null,
  })
  expect(told).not.toContain(privateToken)
  expect(told).not.toContain(unknown)
  expect(site.appErrors).toEqual([])
})

test('What the provider and the app’s own limits say of their insides is told to the app, and to no page', async () => {
  const inside = 'connect ECONNREFUSED 10.0.0.5:6379 as comet'
  const gate = new GatedProvider(new InProcCometStateProvider())
  const options = { maxClients: 1, maxHeldRequests: 1, register: () => ({}) }
  const site = await openSite({ provider: gate, options })
  const { privateToken } = await site.newClient()
  const told: string[] = []
  gate.failNext('getClient', { error: new Error(inside), times: 3 })
  told.push((await glance(site.url, privateToken)).messages[0]!.c as string)
  const form = new URLSearchParams({ privateToken })
  told.push(await (await fetch(site.url, { method: 'POST', body: form })).text())
  told.push(await (await fetch(`${site.url}/goodbye`, { method: 'POST', body: form })).text())
  const register = await fetch(`${site.url}/register`, { method: 'POST' })
  told.push(await register.text())
  expect(register.status).toBe(503)
  gate.failNext('getClient', { error: new Error(inside) })
  await expect(site.channel.getCometClient(privateToken)).rejects.toThrow(inside)
  for (const text of told) expect(text).not.toMatch(/10\.0\.0\.5|getClient|maxClients|1 clients/)
  expect(told[0]).toBe('The store of the channel does not answer. Try again later.')
})
