import { jest } from '@jest/globals'

/** Fakes what the channel's own timers and clock use; sockets and `eventually` go on. */
export function fakeTime(): void {
  jest.useFakeTimers({
    doNotFake: ['nextTick', 'setImmediate', 'clearImmediate', 'queueMicrotask', 'hrtime', 'Date'],
  })
}

export async function passSeconds(seconds: number): Promise<void> {
  await jest.advanceTimersByTimeAsync(seconds * 1000)
}

/** For `afterEach`. */
export function realTime(): void {
  jest.useRealTimers()
}
