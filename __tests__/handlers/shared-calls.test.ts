import { expect, test } from '@jest/globals'
import { SharedCalls } from '../../lib/handlers/shared-calls.ts'
import { eventually } from '../support/eventually.ts'

test('Calls that are shared begin after each of those who share them asked', async () => {
  const begun: { end(value: number): void; fail(): void }[] = []
  const calls = new SharedCalls(
    (_key: string) =>
      new Promise<number>((resolve, reject) =>
        begun.push({ end: resolve, fail: () => reject(new Error('no')) }),
      ),
  )
  const first = calls.of('a')
  const second = [calls.of('a'), calls.of('a')]
  const other = calls.of('b')
  expect(begun).toHaveLength(2)
  begun[0]!.fail()
  await expect(first).rejects.toThrow('no')
  await eventually(() => begun.length === 3)
  const third = calls.of('a')
  begun[2]!.end(2)
  begun[1]!.end(7)
  expect([await Promise.all(second), await other]).toEqual([[2, 2], 7])
  await eventually(() => begun.length === 4)
  begun[3]!.end(3)
  expect(await third).toBe(3)
})
