import { once } from 'node:events'
import { Agent, createServer, get, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { eventually } from '../support/eventually.ts'
import { Balancer } from './balancer.ts'

/** What each server was asked, in the order of their names. */
let asked: string[]
let servers: Server[]
let balancer: Balancer
let answer: (request: IncomingMessage, response: ServerResponse) => unknown
let watched: string[]

beforeEach(async () => {
  asked = []
  watched = []
  answer = async (request, response) => response.end(`${request.method} ${await text(request)}`)
  servers = await Promise.all(['a', 'b', 'c'].map(listen))
  balancer = await Balancer.open(servers.map(portOf), ({ url }, port) => {
    const name = 'abc'[servers.findIndex((server) => portOf(server) === port)]
    watched.push(`${name} takes ${url}`)
    return {
      answered: (status) => watched.push(`${name} answers ${status}`),
      ended: () => watched.push(`${name} ends`),
    }
  })
})

afterEach(async () => {
  await balancer.close()
  for (const server of servers) end(server)
})

async function listen(name: string): Promise<Server> {
  const server = createServer((request, response) => {
    asked.push(name)
    return answer(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  portsOf.set(server, (server.address() as AddressInfo).port)
  return server
}

/** Also when it listens no more. */
const portsOf = new WeakMap<Server, number>()
const portOf = (server: Server): number => portsOf.get(server)!

function end(server: Server): void {
  server.close()
  server.closeAllConnections()
}

const ask = (init?: RequestInit): Promise<Response> =>
  fetch(`http://127.0.0.1:${balancer.port}/path?query`, init)

describe('A balancer', () => {
  test('sends each request to the next server, also those of one connection', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const connections = new Set()
    for (let index = 0; index < 4; index += 1) {
      const request = get({ port: balancer.port, host: '127.0.0.1', agent })
      const [response] = (await once(request, 'response')) as [IncomingMessage]
      connections.add(request.socket)
      await text(response)
    }
    agent.destroy()
    expect([asked.join(''), connections.size]).toEqual(['abca', 1])
  })

  test('passes method, path, body, status and headers on', async () => {
    answer = async (request, response) => {
      response
        .writeHead(418, { 'X-Kind': request.headers['x-kind'] })
        .end(`${request.url} ${await text(request)}`)
    }
    const response = await ask({ method: 'POST', body: 'a body', headers: { 'X-Kind': 'teapot' } })
    expect([response.status, response.headers.get('X-Kind'), await response.text()]).toEqual([
      418,
      'teapot',
      '/path?query a body',
    ])
  })

  test('passes over a server that refuses', async () => {
    end(servers[0]!)
    expect(await (await ask({ method: 'POST', body: 'a body' })).text()).toBe('POST a body')
    expect(asked.join('')).toBe('b')
  })

  test('says 502 when all refuse', async () => {
    for (const server of servers) end(server)
    expect((await ask()).status).toBe(502)
  })

  test('cuts what a server had taken, and sends it to no other', async () => {
    answer = (request) => request.socket.destroy()
    await expect(ask()).rejects.toThrow()
    expect(asked.join('')).toBe('a')
  })

  test('passes a stream on as it comes, and cuts it when the server is gone', async () => {
    let stream: ServerResponse | undefined
    answer = (_request, response) => {
      stream = response
      response.write('the beginning')
    }
    const reader = (await ask()).body!.getReader()
    expect(Buffer.from((await reader.read()).value!).toString()).toBe('the beginning')
    stream!.destroy()
    await expect(reader.read()).rejects.toThrow()
  })

  test('tells a server when the page has gone', async () => {
    let isGone = false
    answer = (_request, response) => {
      response.on('close', () => {
        isGone = true
      })
      response.flushHeaders()
    }
    const page = new AbortController()
    await ask({ signal: page.signal })
    page.abort()
    await eventually(() => isGone)
  })

  test('says who has taken a request, how that answers, and when it is over', async () => {
    await (await ask()).text()
    await eventually(() => watched.length === 3)
    expect(watched).toEqual(['a takes /path?query', 'a answers 200', 'a ends'])
  })
})
