import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { CometStateManager } from 'koa-comet'
import { InProcCometStateProvider } from 'koa-comet/providers/in-proc'
import { fakeTime, passSeconds, realTime } from '../support/fake-time.ts'

beforeEach(fakeTime)
afterEach(realTime)

/** Several sweeps. */
const A_WHILE_SECONDS = 20

test('Sweeps that fail one after another are told of once, and again when they fail anew, or for another reason', async () => {
  class Failing extends InProcCometStateProvider {
    failure: string | undefined
    override removeExpired() {
      return this.failure ? Promise.reject(new Error(this.failure)) : super.removeExpired()
    }
  }
  const provider = new Failing()
  const channel = new CometStateManager(provider)
  const told: string[] = []
  channel.on('error', (error) => told.push(/away|full/.exec(String(error))![0]))
  await channel.open()
  for (const failure of ['away', undefined, 'away', 'full']) {
    provider.failure = failure
    await passSeconds(A_WHILE_SECONDS)
  }
  expect(told).toEqual(['away', 'away', 'full'])
  await channel.close()
})
