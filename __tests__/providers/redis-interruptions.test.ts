import { afterAll, describe, expect } from '@jest/globals'
import { modelCheck } from '../../providers/contract/model-check.ts'
import { ProviderNodes } from '../../providers/contract/provider-nodes.ts'
import { rulesOfInterruptions } from '../../providers/contract/rules-of-interruptions.ts'
import { ContractStorage } from '../support/redis/contract-storage.ts'
import { concurrentTestWithRedis as test } from '../support/redis/redis-available.ts'
import { disposeServers, startServer } from '../support/redis/redis-server.ts'
import { RedisStore } from '../support/redis/redis-store.ts'

/** A machine that stands still for a second must not look like a store that does not answer. */
const TIMEOUT_SECONDS = 1.5

afterAll(disposeServers)

/** On a server of its own: whoever is cut off is waited for again and again, and others are not to be cut off with it. */
async function create(): Promise<ContractStorage> {
  return new ContractStorage(new RedisStore(await startServer()), TIMEOUT_SECONDS)
}

/** The suite's own rules, with a server that hangs, and a network that refuses, and loses requests or replies. */
describe('RedisCometStateProvider, interrupted,', () => {
  rulesOfInterruptions((sentence, body) => {
    test(sentence, async () => {
      const nodes = new ProviderNodes(await create())
      try {
        await body(nodes)
        nodes.assertSound()
      } finally {
        await nodes.dispose()
      }
    })
  })

  test('agrees with the model in random histories', async () => {
    let interruptions = 0
    await modelCheck(create, {
      steps: 200,
      onPass: (report) => {
        interruptions = report.interruptions
        process.stdout.write(`model check: ${JSON.stringify(report)}\n`)
      },
    })
    expect(interruptions).toBeGreaterThan(0)
  })
})
