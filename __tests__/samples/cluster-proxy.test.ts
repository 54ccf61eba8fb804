import { EventEmitter, once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, expect, test } from '@jest/globals'
import { forward } from '../../samples/cluster/proxy.ts'
import { freePort } from '../support/running-module.ts'

const servers: Server[] = []

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.close()
    server.closeAllConnections()
    if (server.listening) await once(server, 'close')
  }
})

async function listen(listener: RequestListener): Promise<number> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** The address of a proxy in front of these ports. */
async function proxyTo(...ports: readonly number[]): Promise<string> {
  const port = await listen((incoming, answer) => forward(incoming, answer, ports))
  return `http://127.0.0.1:${port}`
}

test('The proxy passes requests and answers on, without what is about one connection', async () => {
  const node = await listen(async (incoming, answer) => {
    answer.writeHead(201, {
      'Sample-Node': 'x',
      'Set-Cookie': ['a=1', 'b=2'],
      Connection: 'close, Secret',
      Secret: '1',
    })
    const { method, url, headers } = incoming
    answer.end(JSON.stringify({ method, url, headers, body: await text(incoming) }))
  })
  const address = await proxyTo(node)
  const outgoing = request(`${address}/comet?a=b`, {
    method: 'POST',
    headers: {
      Connection: 'keep-alive, Own',
      Own: '1',
      TE: 'trailers',
      Host: 'app.example',
      'X-Forwarded-For': '10.0.0.1',
    },
  })
  outgoing.write('some ')
  outgoing.end('text')
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage]
  expect(answer.statusCode).toBe(201)
  expect(answer.headers).toMatchObject({ 'sample-node': 'x', 'set-cookie': ['a=1', 'b=2'] })
  expect(answer.headers).not.toHaveProperty('secret')
  const { headers, ...rest } = JSON.parse(await text(answer))
  expect(rest).toEqual({ method: 'POST', url: '/comet?a=b', body: 'some text' })
  expect(headers).toMatchObject({
    host: 'app.example',
    'x-forwarded-for': '10.0.0.1, 127.0.0.1',
    'x-forwarded-host': 'app.example',
    'x-forwarded-proto': 'http',
  })
  for (const name of ['own', 'te']) expect(headers).not.toHaveProperty(name)
})

test('The proxy passes over a node that takes no connection, with the whole body for the next one', async () => {
  const node = await listen(async (incoming, answer) => answer.end(await text(incoming)))
  const address = await proxyTo(await freePort(), await freePort(), node)
  const answer = await fetch(address, { method: 'POST', body: 'x'.repeat(500_000) })
  expect((await answer.text()).length).toBe(500_000)
})

test('The proxy says that no node is there, and when to come back', async () => {
  for (const address of [await proxyTo(), await proxyTo(await freePort())]) {
    const { status, headers } = await fetch(address)
    expect([status, headers.get('Retry-After')]).toEqual([503, '1'])
  }
})

test('The proxy keeps nothing back: the head comes before the body, and each piece when it is sent', async () => {
  const pieces: (() => void)[] = []
  const node = await listen((_, answer) => {
    answer.flushHeaders()
    pieces.push(
      () => answer.write('one'),
      () => answer.end('two'),
    )
  })
  const { body } = await fetch(await proxyTo(node))
  const reader = body!.pipeThrough(new TextDecoderStream()).getReader()
  for (const expected of ['one', 'two']) {
    pieces.shift()!()
    expect((await reader.read()).value).toBe(expected)
  }
  expect((await reader.read()).done).toBe(true)
})

test.each(['before its answer', 'amid its answer'])(
  'The proxy ends a request whose page goes %s',
  async (when) => {
    const asked = new EventEmitter()
    const node = await listen((incoming, answer) => {
      if (when === 'amid its answer') answer.write('one')
      asked.emit('asked', incoming)
    })
    const page = new AbortController()
    const answer = fetch(await proxyTo(node), { signal: page.signal })
    answer.catch(() => {})
    const [{ socket }] = (await once(asked, 'asked')) as [IncomingMessage]
    if (when === 'amid its answer') await answer
    page.abort()
    await once(socket, 'close')
  },
)

test.each(['before its answer', 'amid its answer'])(
  'The proxy cuts what a node dies of %s, and asks no other',
  async (when) => {
    let asked = 0
    const dying = await listen((incoming, answer) => {
      if (when === 'amid its answer') answer.write('one', () => incoming.socket.resetAndDestroy())
      else incoming.socket.resetAndDestroy()
    })
    const other = await listen((_, answer) => {
      asked += 1
      answer.end()
    })
    const answer = fetch(await proxyTo(dying, other)).then((response) => response.text())
    await expect(answer).rejects.toThrow(/^(fetch failed|terminated)$/)
    expect(asked).toBe(0)
  },
)
