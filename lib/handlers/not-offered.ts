import { CometException } from '../comet-exception.ts'
import type { Endpoint } from './guarded.ts'

/** An address that an option would switch on. Koa's own 404 would tell a page that something else answers here. */
export function notOffered(option: string): Endpoint {
  return {
    methods: ['GET', 'POST'],
    async handle() {
      const text = `This channel does not offer this: its option ${option} is not set.`
      throw new CometException('COMET_NOT_OFFERED', text)
    },
  }
}
