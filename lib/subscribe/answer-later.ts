import type { Context } from 'koa'
import type { Answer } from '../answer.ts'
import { HeldResponse } from './held-response.ts'

/** Answers a request after a while, past Koa: who would ask again at once has to be slowed down. */
export function answerLater(ctx: Context, answer: Answer, delayMs: number): void {
  const response = new HeldResponse(ctx, { released() {}, closed: () => clearTimeout(timer) })
  const timer = setTimeout(() => response.send(answer), delayMs).unref()
}
