import { afterEach, describe, expect, jest, test } from '@jest/globals'
import { type CometOptions, CometRefusal } from 'koa-comet'
import { InProcCometStateProvider, InProcStorage } from 'koa-comet/providers/in-proc'
import { eventually } from '../support/eventually.ts'
import { post } from '../support/post.ts'
import { closeSites } from '../support/site.ts'
import { type Node, openNode, openNodes } from '../support/two-nodes.ts'

afterEach(closeSites)

/** A handler that ends when it is told to, and counts its runs. */
function gatedHandler(result: unknown = 'done') {
  const runs: { end(): void; readonly signal: AbortSignal }[] = []
  const handler = (_contents: unknown, { signal }: { signal: AbortSignal }) =>
    new Promise((resolve) => runs.push({ signal, end: () => resolve(result) }))
  return { runs, handler }
}

const sendTo = ({ url }: Node, privateToken: string, key: string, n = 'Do') =>
  post(`${url}/send`, privateToken, { n, c: 1, key })

describe('What is sent with a key', () => {
  test('is handled once: a repetition is given the same reply, be it a result, a refusal or a failure', async () => {
    const [one, two] = await openNodes(2)
    const { privateToken } = await one!.newClient()
    let runs = 0
    for (const { channel } of [one!, two!]) {
      channel.onMessage('Do', () => ({ runs: ++runs }))
      channel.onMessage('Refuse', () => {
        throw new CometRefusal('NO', `${++runs}`, { why: [1] })
      })
      channel.onMessage('Fail', () => {
        throw new Error(`${++runs}`)
      })
    }
    for (const name of ['Do', 'Refuse', 'Fail']) {
      const first = await sendTo(one!, privateToken, name, name)
      for (const node of [one!, two!, one!]) {
        const { status, body } = await sendTo(node, privateToken, name, name)
        expect([status, body]).toEqual([first.status, first.body])
      }
    }
    expect(runs).toBe(3)
  })

  test('is its client’s own: the key of another client is another key', async () => {
    const [node] = await openNodes(1)
    let runs = 0
    node!.channel.onMessage('Do', () => ++runs)
    const [ann, bob] = [await node!.newClient(), await node!.newClient()]
    expect((await sendTo(node!, ann.privateToken, 'k')).body).toEqual({ c: 1 })
    expect((await sendTo(node!, bob.privateToken, 'k')).body).toEqual({ c: 2 })
    await node!.channel.stopClient(ann.publicToken)
    const { privateToken } = await node!.newClient({ publicToken: ann.publicToken })
    expect((await sendTo(node!, privateToken, 'k')).body).toEqual({ c: 3 })
  })

  test('and repeated while its handler runs waits for the same run, on its node', async () => {
    const [node] = await openNodes(1)
    const { privateToken } = await node!.newClient()
    const { runs, handler } = gatedHandler()
    node!.channel.onMessage('Do', handler)
    const answers = [1, 2, 3].map(() => sendTo(node!, privateToken, 'k'))
    await eventually(() => runs.length === 1)
    runs[0]!.end()
    for (const { body } of await Promise.all(answers)) expect(body).toEqual({ c: 'done' })
    expect(runs).toHaveLength(1)
  })

  test('and repeated on another node while its handler runs is told to ask again, and then has the reply', async () => {
    const [one, two] = await openNodes(2)
    const { privateToken } = await one!.newClient()
    const { runs, handler } = gatedHandler()
    for (const { channel } of [one!, two!]) channel.onMessage('Do', handler)
    const first = sendTo(one!, privateToken, 'k')
    await eventually(() => runs.length === 1)
    const early = await sendTo(two!, privateToken, 'k')
    expect(early).toMatchObject({ status: 503, error: { code: 'COMET_SEND_IS_RUNNING' } })
    expect(Number(early.headers.get('retry-after'))).toBeGreaterThan(0)
    runs[0]!.end()
    await first
    expect((await sendTo(two!, privateToken, 'k')).body).toEqual({ c: 'done' })
    expect(runs).toHaveLength(1)
  })

  test('and whose node died within the handler is never run again: nobody knows what came of it', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] })
    try {
      const storage = new InProcStorage(() => performance.now())
      const dying = await openNode(storage)
      const living = await openNode(storage)
      const { privateToken } = await living.newClient()
      const { runs, handler } = gatedHandler()
      for (const { channel } of [dying, living]) channel.onMessage('Do', handler)
      // It never settles: for the store, that is a node that died.
      void sendTo(dying, privateToken, 'k').catch(() => {})
      await eventually(() => runs.length === 1)
      dying.gate.hangNext('settle')
      expect((await sendTo(living, privateToken, 'k')).error?.code).toBe('COMET_SEND_IS_RUNNING')
      jest.advanceTimersByTime(31_000)
      expect(await sendTo(living, privateToken, 'k')).toMatchObject({
        status: 409,
        error: { code: 'COMET_OUTCOME_IS_UNKNOWN' },
      })
      expect(runs).toHaveLength(1)
    } finally {
      jest.useRealTimers()
    }
  })

  test('and whose claim failed is run by its repetition, once, whether the claim had come through or not', async () => {
    for (const when of ['before', 'after'] as const) {
      const [node] = await openNodes(1)
      const { privateToken } = await node!.newClient()
      let runs = 0
      node!.channel.onMessage('Do', () => ++runs)
      node!.gate.failNext('claim', { when })
      expect(await sendTo(node!, privateToken, 'k')).toMatchObject({
        status: 503,
        error: { code: 'COMET_PROVIDER_IS_UNAVAILABLE' },
      })
      expect(runs).toBe(0)
      expect((await sendTo(node!, privateToken, 'k')).body).toEqual({ c: 1 })
      expect((await sendTo(node!, privateToken, 'k')).body).toEqual({ c: 1 })
    }
  })

  test('and whose reply could not be recorded is answered, and its repetition is not run again', async () => {
    const [node] = await openNodes(1)
    const { privateToken } = await node!.newClient()
    let runs = 0
    node!.channel.onMessage('Do', () => ++runs)
    node!.gate.failNext('settle')
    expect((await sendTo(node!, privateToken, 'k')).body).toEqual({ c: 1 })
    expect((await sendTo(node!, privateToken, 'k')).error?.code).toBe('COMET_SEND_IS_RUNNING')
    expect(runs).toBe(1)
    await eventually(() => node!.errors.length === 1)
  })

  test('and was handled has that reply, also if the app would refuse it, or fails, by the time of its repetition', async () => {
    let answer = async (): Promise<boolean> => true
    const [one, two] = await openNodes(2, { authorize: () => answer() })
    const { privateToken } = await one!.newClient()
    one!.channel.onMessage('Do', () => 'paid')
    expect((await sendTo(one!, privateToken, 'k')).body).toEqual({ c: 'paid' })
    const answers = [
      async () => false,
      () => Promise.reject(new Error('no database')),
      () => Promise.reject(new CometRefusal('QUOTA_IS_USED_UP', 'No more.')),
    ]
    for (const next of answers) {
      answer = next
      for (const node of [one!, two!]) {
        expect((await sendTo(node, privateToken, 'k')).body).toEqual({ c: 'paid' })
      }
    }
    expect(await sendTo(two!, privateToken, 'other')).toMatchObject({ error: { code: 'QUOTA_IS_USED_UP' } })
    answer = async () => true
    expect(await sendTo(one!, privateToken, 'other')).toMatchObject({ error: { code: 'QUOTA_IS_USED_UP' } })
  })

  test('and whose page goes to another node while it is claimed is handled where it is claimed', async () => {
    const [one, two] = await openNodes(2)
    const { privateToken } = await one!.newClient()
    let runs = 0
    for (const { channel } of [one!, two!]) channel.onMessage('Do', () => ++runs)
    const goOn = one!.gate.hangNext('claim', { when: 'after' })
    const claims = jest.spyOn(one!.gate, 'claim')
    const cut = new AbortController()
    const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${privateToken}` }
    const body = JSON.stringify({ n: 'Do', key: 'k' })
    const gone = fetch(`${one!.url}/send`, { method: 'POST', headers, body, signal: cut.signal })
    await eventually(() => claims.mock.calls.length === 1)
    cut.abort()
    await gone.catch(() => {})
    goOn()
    let reply: unknown
    while (reply === undefined) {
      const { status, body } = await sendTo(two!, privateToken, 'k')
      if (status === 200) reply = body
    }
    expect([reply, runs]).toEqual([{ c: 1 }, 1])
  })

  test('by a client that was stopped meanwhile is not handled', async () => {
    const [one, two] = await openNodes(2)
    const { privateToken, publicToken } = await one!.newClient()
    let runs = 0
    one!.channel.onMessage('Do', () => ++runs)
    expect((await sendTo(one!, privateToken, 'a')).body).toEqual({ c: 1 })
    one!.gate.hold()
    await two!.channel.stopClient(publicToken)
    expect((await sendTo(one!, privateToken, 'b')).status).toBeGreaterThanOrEqual(401)
    one!.gate.release()
    expect(await sendTo(one!, privateToken, 'c')).toMatchObject({
      status: 403,
      error: { code: 'COMET_CLIENT_IS_STOPPED' },
    })
    expect(runs).toBe(1)
  })
})

describe('A handler that takes too long', () => {
  const OPTIONS: CometOptions = { handlerTimeoutSeconds: 0.1 }

  test('is told so, holds up nothing, and its reply is recorded when it comes after all', async () => {
    const [node] = await openNodes(1, OPTIONS)
    const { privateToken } = await node!.newClient()
    const { runs, handler } = gatedHandler('late')
    node!.channel.onMessage('Do', handler)
    node!.channel.onMessage('Quick', () => 'quick')
    const [slow, quick] = await Promise.all([
      sendTo(node!, privateToken, 'k'),
      sendTo(node!, privateToken, 'q', 'Quick'),
    ])
    expect(slow).toMatchObject({ status: 409, error: { code: 'COMET_OUTCOME_IS_UNKNOWN' } })
    expect(quick.body).toEqual({ c: 'quick' })
    expect(runs[0]!.signal.aborted).toBe(true)
    expect((await sendTo(node!, privateToken, 'k')).error?.code).toBe('COMET_OUTCOME_IS_UNKNOWN')
    runs[0]!.end()
    for (;;) {
      const { body } = await sendTo(node!, privateToken, 'k')
      if (!Array.isArray(body)) {
        expect(body).toEqual({ c: 'late' })
        break
      }
    }
    expect(runs).toHaveLength(1)
  })
})

describe('A channel that closes', () => {
  test('waits for the handlers that run: they can still send, and are answered', async () => {
    const [node] = await openNodes(1)
    const { channel, newClient } = node!
    const { privateToken } = await newClient()
    const { runs, handler } = gatedHandler()
    channel.onMessage('Do', async (contents, sent) => {
      await handler(contents, sent)
      return channel.sendMessage('M', 1)
    })
    const answer = sendTo(node!, privateToken, 'k')
    await eventually(() => runs.length === 1)
    const closing = channel.close({ overSeconds: 0 })
    expect((await sendTo(node!, privateToken, 'other')).error?.code).toBe('COMET_CHANNEL_IS_CLOSED')
    runs[0]!.end()
    expect((await answer).body).toEqual({ c: expect.any(Number) })
    await closing
  })
})

test('A key is known on every node of a store, and forgotten with its client', async () => {
  const storage = new InProcStorage()
  const provider = new InProcCometStateProvider({ storage })
  const node = await openNode(storage)
  node.channel.onMessage('Do', () => 1)
  const { privateToken, publicToken, generation } = await node.newClient()
  await sendTo(node, privateToken, 'k')
  await provider.open(
    'comet',
    { reset() {}, entries() {}, unavailable() {}, available() {} },
    {
      seconds: 600,
      messages: 10,
      bytes: 1e6,
    },
  )
  const claim = { publicToken, generation, key: 'k', run: 'other', runSeconds: 1, seconds: 1 }
  expect(await provider.claim([claim])).toEqual([{ reply: '{"result":1}' }])
  await node.channel.stopClient(publicToken)
  expect(await provider.claim([claim])).toEqual(['gone'])
  await provider.close()
})
