import { jest } from '@jest/globals'

let isFaked = false

/** Fakes what the channel's own timers and clock use; sockets and `eventually` go on. */
export function fakeTime(): void {
  isFaked = true
  jest.useFakeTimers({
    doNotFake: ['nextTick', 'setImmediate', 'clearImmediate', 'queueMicrotask', 'hrtime', 'Date'],
  })
}

export async function passSeconds(seconds: number): Promise<void> {
  await jest.advanceTimersByTimeAsync(seconds * 1000)
}

/** Calls what is due already: time that is faked calls nothing by itself, not even what was to be called at once. */
export function callWhatIsDue(): void {
  if (isFaked) jest.advanceTimersByTime(0)
}

/** For `afterEach`. */
export function realTime(): void {
  isFaked = false
  jest.useRealTimers()
}
