import { jest } from '@jest/globals'
import { statementPrototype } from './sqlite-connections.ts'

/** What each statement has. */
interface Statement {
  readonly source: string
  get(...parameters: unknown[]): unknown
  iterate(...parameters: unknown[]): unknown
}

const prototype = statementPrototype() as unknown as Statement

/** Counts the single rows that statements are asked for from now on. */
export function watchGets(): () => number {
  const get = jest.spyOn(prototype, 'get')
  return () => get.mock.calls.length
}

/** Lets the next read of this kind by a statement with this text fail. Returns how often such reads were tried. */
export function failOnce(method: 'get' | 'iterate', text: string, error: Error): () => number {
  const original = prototype[method]
  let tries = 0
  jest.spyOn(prototype, method).mockImplementation(function (this: Statement, ...parameters) {
    if (this.source.includes(text)) {
      tries += 1
      if (tries === 1) throw error
    }
    return original.apply(this, parameters)
  })
  return () => tries
}

/** From now on statements with this text give this row. */
export function pretend(text: string, row: unknown): void {
  const { get } = prototype
  jest.spyOn(prototype, 'get').mockImplementation(function (this: Statement, ...parameters) {
    return this.source.includes(text) ? row : get.apply(this, parameters)
  })
}
