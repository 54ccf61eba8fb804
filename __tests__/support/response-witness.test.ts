import { afterEach, describe, expect, test } from '@jest/globals'
import type { Middleware } from 'koa'
import { eventually } from './eventually.ts'
import { ResponseWitness } from './response-witness.ts'
import { type Served, serve } from './serve.ts'

let served: Served

afterEach(() => served.close())

/** What the witness says of a server that answers so. */
async function faultsOf(answer: Middleware): Promise<readonly string[]> {
  const witness = new ResponseWitness()
  served = await serve(witness.middleware, answer)
  await fetch(served.origin)
    .then((response) => response.text())
    .catch(() => {})
  await eventually(() => witness.allClosed)
  return witness.faults
}

describe('The witness of responses', () => {
  test('has nothing to say of one that is written and ended', async () => {
    const faults = await faultsOf(({ res }) => {
      res.write('one')
      res.end('two')
    })
    expect(faults).toEqual([])
  })

  test('sees what is written behind the end', async () => {
    const faults = await faultsOf(({ res }) => {
      const { socket } = res
      res.on('finish', () => socket?.write('more'))
      res.end('all')
    })
    expect(faults).toContain('written after the end of a response')
  })

  test('sees what is written to a connection that is gone', async () => {
    const faults = await faultsOf(({ res }) => {
      res.write('one')
      const { socket } = res
      socket?.destroy()
      socket?.write('two')
    })
    expect(faults).toContain('written to a connection that is over')
  })

  test('sees an error that nobody else would', async () => {
    const faults = await faultsOf(({ res }) => {
      res.end('all')
      res.write('more')
    })
    expect(faults.join()).toContain('write after end')
  })

  test('sees one that is told to be over twice', async () => {
    const faults = await faultsOf(({ res }) => {
      res.end('all')
      res.on('finish', () => res.emit('close'))
    })
    expect(faults).toContain('a response closed twice')
  })
})
