import assert from 'node:assert/strict'
import type { Entry, RetainedLog } from '../../lib/comet-state-provider.ts'
import { initialise, renewal, send, stop } from './operations.ts'
import { AMPLE_RETENTION } from './provider-nodes.ts'
import type { Rule } from './rule.ts'

export function rulesOfRetention(rule: Rule): void {
  rule('What is within the retention is retained', async ({ open }) => {
    const node = await open()
    for (let round = 0; round < 50; round += 1)
      await node.append(send('Chat', { contents: JSON.stringify(round) }))
    await node.sweep()
    const { log } = (await open()).listener
    assert.deepEqual(log.entries, await node.told())
    assertTruthful(log, await node.told())
  })

  rule('The window is bounded by messages', async ({ open }) => {
    const retention = { ...AMPLE_RETENTION, messages: 10 }
    const node = await open({ retention })
    for (let round = 0; round < 30; round += 1)
      await node.append(send(), initialise(`client-${round}`), send())
    await node.sweep()
    const { log } = (await open({ retention })).listener
    const messages = log.entries.filter(({ kind }) => kind === 'message')
    assert.ok(messages.length <= 10, `${messages.length} messages are retained`)
    assert.ok(messages.length > 5, `of 10 that fit ${messages.length} messages are retained`)
    assertTruthful(log, await node.told())
  })

  rule('The window is bounded by bytes', async ({ open }) => {
    const retention = { ...AMPLE_RETENTION, bytes: 10_000 }
    const node = await open({ retention })
    const contents = JSON.stringify('☃'.repeat(500))
    for (let round = 0; round < 20; round += 1) await node.append(send('Chat', { contents }))
    await node.sweep()
    const { log } = (await open({ retention })).listener
    const bytes = log.entries.reduce((sum, entry) => sum + bytesOf(entry), 0)
    assert.ok(bytes <= 10_000, `${bytes} bytes are retained`)
    assert.ok(bytes > 5_000, `of 10,000 bytes that fit ${bytes} are retained`)
    assertTruthful(log, await node.told())
  })

  rule('The window is bounded by the bytes of names, too', async ({ open }) => {
    const retention = { ...AMPLE_RETENTION, bytes: 20_000 }
    const node = await open({ retention })
    const name = '☃'.repeat(128)
    const sends = Array.from({ length: 100 }, () => send(name, { contents: '1' }))
    for (let round = 0; round < 6; round += 1) await node.append(...sends)
    await node.sweep()
    const { log } = (await open({ retention })).listener
    const bytes = log.entries.reduce((sum, entry) => sum + bytesOf(entry), 0)
    // What an entry takes besides is counted by each provider in its own way, and may be most of it here.
    assert.ok(bytes <= 2 * 20_000, `${bytes} bytes are retained, of 20,000 that fit`)
    assert.ok(bytes > 20_000 / 4, `of 20,000 bytes that fit ${bytes} are retained`)
    assertTruthful(log, await node.told())
  })

  rule('The window is bounded by time', async ({ open, pass }) => {
    const retention = { ...AMPLE_RETENTION, seconds: 1 }
    const node = await open({ retention })
    const [old] = await node.append(send('Old'))
    await pass(2)
    await node.append(send('New'))
    await node.sweep()
    const { log } = (await open({ retention })).listener
    assert.ok(
      log.trimmedThrough >= old!.id,
      `trimmed through ${log.trimmedThrough}, the old one is ${old!.id}`,
    )
    assertTruthful(log, await node.told())
  })

  rule('Trimming forgets no client, no lease and no stop', async ({ open }) => {
    const retention = { ...AMPLE_RETENTION, messages: 1 }
    const node = await open({ retention })
    const ann = await node.initialise(initialise('ann'))
    await node.append(initialise('eve'), stop('eve'))
    await node.renew(renewal(ann))
    for (let round = 0; round < 20; round += 1) await node.append(send())
    await node.sweep()
    const later = await open({ retention })
    assert.ok(later.listener.log.trimmedThrough > ann.generation)
    assert.deepEqual(await later.listed(), ['ann'])
    assert.equal(await later.renew(renewal(ann, { holder: 'page-2' })), 'elsewhere')
    assert.equal(await later.refusal(initialise('eve')), 'COMET_CLIENT_ALREADY_EXISTS')
  })
}

/** Nothing between `trimmedThrough` and the head is missing, nothing up to it is there. */
function assertTruthful(log: RetainedLog, all: readonly Entry[]): void {
  assert.deepEqual(
    log.entries,
    all.filter(({ id }) => id > log.trimmedThrough),
  )
  assert.equal(log.head, all.at(-1)!.id)
}

function bytesOf(entry: Entry): number {
  return entry.kind === 'message' ? Buffer.byteLength(entry.name) + Buffer.byteLength(entry.contents) : 0
}
