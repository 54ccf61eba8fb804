import { afterEach, describe, expect, jest, test } from '@jest/globals'
import type { CometOptions } from 'koa-comet'
import { Upstream } from '../../lib/upstream/upstream.ts'
import { eventually } from '../support/eventually.ts'
import { post } from '../support/post.ts'
import { countTo } from '../support/raw-page.ts'
import { closeSites, openSite, type Site } from '../support/site.ts'
import { openNode } from '../support/two-nodes.ts'

afterEach(async () => {
  jest.restoreAllMocks()
  await closeSites()
})

/** Something that waits until it is let go on. */
function gate() {
  let open = (): void => undefined
  const isOpen = new Promise<void>((resolve) => {
    open = resolve
  })
  return { isOpen, open: () => open() }
}

const sendTo = ({ url }: Site, privateToken: string, n: string, key?: string, c: unknown = 1) =>
  post(`${url}/send`, privateToken, { n, c, key })

describe('An attempt whose page has gone', () => {
  test('while it waited for authorize runs no handler: the repetition has, and its key may be forgotten', async () => {
    const first = gate()
    let asked = 0
    const authorize: CometOptions['authorize'] = async () => {
      asked += 1
      if (asked === 1) await first.isOpen
      return true
    }
    const site = await openSite({ options: { authorize } })
    const { privateToken } = await site.newClient()
    let paid = 0
    site.channel.onMessage('Pay', () => {
      paid += 1
    })
    const cut = new AbortController()
    const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${privateToken}` }
    const body = JSON.stringify({ n: 'Pay', key: 'pay' })
    const gone = fetch(`${site.url}/send`, { method: 'POST', headers, body, signal: cut.signal })
    await eventually(() => asked === 1)
    cut.abort()
    await gone.catch(() => {})
    first.open()
    const repeat = async () => (await sendTo(site, privateToken, 'Pay', 'pay')).status
    while ((await repeat()) !== 200);
    expect([await repeat(), paid]).toEqual([200, 1])
  })

  test('goes on for the repetition that waits for the same', async () => {
    const first = gate()
    const site = await openSite()
    const { privateToken } = await site.newClient()
    const order: string[] = []
    site.channel.onMessage('Wait', () => first.isOpen)
    site.channel.onMessage('Pay', () => order.push('paid'))
    const sends = jest.spyOn(Upstream.prototype, 'send')
    const before = sendTo(site, privateToken, 'Wait')
    await eventually(() => sends.mock.calls.length === 1)
    const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${privateToken}` }
    const body = JSON.stringify({ n: 'Pay', key: 'pay' })
    const cut = new AbortController()
    const gone = fetch(`${site.url}/send`, { method: 'POST', headers, body, signal: cut.signal })
    await eventually(() => sends.mock.calls.length === 2)
    const repeated = sendTo(site, privateToken, 'Pay', 'pay')
    await eventually(() => sends.mock.calls.length === 3)
    cut.abort()
    await gone.catch(() => {})
    first.open()
    await before
    expect([(await repeated).status, order]).toEqual([200, ['paid']])
  })
})

describe('A handler', () => {
  test('does not begin once what comes before it has taken too long: then its page is told to ask again', async () => {
    const slow = gate()
    const node = await openNode(undefined, { handlerTimeoutSeconds: 0.2 })
    const { privateToken } = await node.newClient()
    const order: unknown[] = []
    let isSlow = true
    const validate = async (value: unknown) => {
      if (isSlow && value === 'first') await slow.isOpen
      return { value }
    }
    const schema = { '~standard': { version: 1, vendor: 'test', validate } } as const
    node.channel.onMessage('Do', (contents) => order.push(contents), { schema })
    const first = await sendTo(node, privateToken, 'Do', '1', 'first')
    expect(first.error?.code).toBe('COMET_SEND_IS_RUNNING')
    expect((await sendTo(node, privateToken, 'Do', '2', 'second')).status).toBe(200)
    isSlow = false
    slow.open()
    expect((await sendTo(node, privateToken, 'Do', '1', 'first')).status).toBe(200)
    expect(order).toEqual(['second', 'first'])
  })

  test('that was in time is told of, however slow the store is at recording it', async () => {
    const node = await openNode(undefined, { handlerTimeoutSeconds: 0.1 })
    const { privateToken } = await node.newClient()
    let begunAt = 0
    node.channel.onMessage('Do', () => {
      begunAt = performance.now()
      return 'done'
    })
    const goOn = node.gate.hangNext('settle')
    const answer = sendTo(node, privateToken, 'Do', 'k')
    await eventually(() => begunAt > 0 && performance.now() - begunAt > 300)
    goOn()
    expect((await answer).body).toEqual({ c: 'done' })
  })
})

describe('close()', () => {
  test('waits for the handlers that run, and lets none begin', async () => {
    const site = await openSite({ options: { handlerTimeoutSeconds: 0.3 } })
    const { privateToken } = await site.newClient()
    let runs = 0
    site.channel.onMessage('Hang', () => {
      runs += 1
      return new Promise(() => {})
    })
    const sends = countTo(6).map((key) => sendTo(site, privateToken, 'Hang', `${key}`))
    await eventually(() => runs === 1)
    await site.channel.close({ overSeconds: 0 })
    const codes = (await Promise.all(sends)).map(({ error }) => error!.code)
    expect(codes.sort()).toEqual([...Array(5).fill('COMET_CHANNEL_IS_CLOSED'), 'COMET_OUTCOME_IS_UNKNOWN'])
    expect(runs).toBe(1)
    expect(site.errors).toEqual([])
  })

  test('lets none begin that waits for authorize', async () => {
    const { isOpen, open } = gate()
    let asked = 0
    const authorize: CometOptions['authorize'] = async () => {
      asked += 1
      await isOpen
      return true
    }
    const site = await openSite({ options: { authorize } })
    const { privateToken } = await site.newClient()
    let runs = 0
    site.channel.onMessage('Do', () => {
      runs += 1
    })
    const send = sendTo(site, privateToken, 'Do')
    await eventually(() => asked === 1)
    const closing = site.channel.close({ overSeconds: 0 })
    open()
    expect((await send).error?.code).toBe('COMET_CHANNEL_IS_CLOSED')
    await closing
    expect(runs).toBe(0)
  })
})

describe('A page learns nothing of the app', () => {
  test('from the channel’s own errors that a handler lets through', async () => {
    const site = await openSite()
    const { privateToken } = await site.newClient()
    site.channel.onMessage('Do', () => site.channel.sendMessage('Audit', 1, { to: 'internal-admin' }))
    const { status, body } = await sendTo(site, privateToken, 'Do')
    expect([status, JSON.stringify(body)]).toEqual([500, expect.not.stringContaining('internal-admin')])
    await eventually(() => site.errors.length === 1)
  })

  test('from a schema that throws: that is a failure as the handler’s own', async () => {
    const site = await openSite()
    const { privateToken } = await site.newClient()
    const validate = () => {
      throw new Error('secret')
    }
    const schema = { '~standard': { version: 1, vendor: 'test', validate } } as const
    site.channel.onMessage('Do', () => 1, { schema })
    const { status, error } = await sendTo(site, privateToken, 'Do')
    expect([status, error?.code]).toEqual([500, 'COMET_SEND_HAS_FAILED'])
    await eventually(() => site.errors.length === 1)
  })

  test('at great length: of what is wrong with its contents it is told the first places', async () => {
    const site = await openSite()
    const { privateToken } = await site.newClient()
    const validate = (value: unknown) => ({
      issues: (value as unknown[]).map((_, index) => ({ message: 'x'.repeat(1000), path: ['items', index] })),
    })
    const schema = { '~standard': { version: 1, vendor: 'test', validate } } as const
    site.channel.onMessage('Do', () => 1, { schema })
    const { status, body, error } = await sendTo(site, privateToken, 'Do', undefined, Array(10_000).fill(1))
    expect([status, (error!.details as unknown[]).length]).toEqual([400, 20])
    expect(JSON.stringify(body).length).toBeLessThan(10_000)
  })
})
