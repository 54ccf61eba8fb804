import type { Context } from 'koa'
import { eventually } from './eventually.ts'

/** Lets the test decide when a page that says `X-Slow` is identified. Others are at once. */
export interface SlowPages {
  /** The option `identify`: everybody is 'ann'. */
  readonly identify: (ctx: Context) => Promise<string>
  /** Resolves when so many requests wait to be identified. */
  wait(count: number): Promise<void>
  /** Lets the one go on that has waited the longest. */
  letIn(): void
}

/** The header of a page that is slow. */
export const SLOW = { 'X-Slow': '1' }

export function slowPages(): SlowPages {
  const waiting: (() => void)[] = []
  return {
    async identify(ctx) {
      if (ctx.get('X-Slow') !== '') await new Promise<void>((resolve) => waiting.push(resolve))
      return 'ann'
    },
    wait: (count) => eventually(() => waiting.length === count),
    letIn: () => waiting.shift()?.(),
  }
}
