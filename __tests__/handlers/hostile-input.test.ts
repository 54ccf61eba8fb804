import { randomInt } from 'node:crypto'
import { afterEach, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { eventually } from '../support/eventually.ts'
import { glance, poll } from '../support/page.ts'
import { closeSites, openSite } from '../support/site.ts'
import { type HostileRequest, hostileRequest } from './hostile-requests.ts'
import { RawConnection } from './raw-connection.ts'

afterEach(closeSites)

const REQUESTS = 4000

/** All that comes back before the connection closes. */
async function send(port: number, { bytes, isWhole }: HostileRequest): Promise<string> {
  const connection = await RawConnection.open(port)
  if (isWhole) connection.send(bytes)
  // Nobody waits for the rest of what is not whole.
  else connection.socket.end(bytes)
  await eventually(() => connection.isClosed)
  return connection.received
}

/** The status of the last answer: before it there may have been `100 Continue`. */
function statusOf(received: string): number | undefined {
  const statuses = [...received.matchAll(/(?:^|\r\n\r\n)HTTP\/1\.1 (\d{3}) /g)].map((match) =>
    Number(match[1]),
  )
  return statuses.at(-1)
}

test('hostile requests never get a 5xx, a stack or a token, and harm neither the process nor the channel', async () => {
  // What the page sends goes into the record of its client, as in an app that trusts it.
  const site = await openSite({
    options: { register: ({ query, request }) => ({ data: [query, request.body] }) },
  })
  const prototype = Object.getOwnPropertyNames(Object.prototype)
  const { privateToken } = await site.newClient()
  const { cursor } = await glance(site.url, privateToken)
  const seed = Number(process.env.COMET_TEST_SEED ?? randomInt(2 ** 31))
  const counts = new Map<number | undefined, number>()

  await fc.assert(
    fc.asyncProperty(hostileRequest({ privateToken, cursor: cursor! }), async (request) => {
      const received = await send(site.port, request)
      const status = statusOf(received)
      counts.set(status, (counts.get(status) ?? 0) + 1)
      if (status !== undefined && status >= 500) throw new Error(`It was answered ${status}.`)
      expect(received).not.toMatch(/\n\s+at |node_modules|\.ts:\d/)
      expect(received).not.toContain(privateToken)
    }),
    { numRuns: REQUESTS, seed, verbose: 1 },
  )

  const reached = [...counts].map(([status = 'no answer', count]) => `${count} × ${status}`).join(', ')
  process.stdout.write(`hostile requests: seed ${seed}, ${REQUESTS} requests, ${reached}\n`)
  // The grammar is no noise: each of these was reached.
  for (const status of [200, 204, 400, 401, 403, 404, 405, 406, 413, 415]) {
    expect([status, (counts.get(status) ?? 0) > 0]).toEqual([status, true])
  }
  expect(site.errors).toEqual([])
  // Of requests that broke off, Node's parser tells Koa itself.
  expect(site.appErrors.filter((error) => !/^HPE_/.test((error as { code: string }).code))).toEqual([])
  expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(prototype)
  expect(Reflect.ownKeys({})).toEqual([])
  await site.holds(0)
  // A hostile goodbye may have ended the client that was attacked.
  const fresh = await site.newClient()
  const polling = poll(site.url, fresh.privateToken)
  await site.holds(1)
  await site.channel.sendMessage('StillHere', 1)
  expect((await polling).messages.at(-1)).toMatchObject({ n: 'StillHere', c: 1 })
}, 120_000)
