import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type ConsumerFolder, consumerFolder } from '../support/consumer-folder.ts'
import { block, replaced } from './blocks.ts'

describe('Testing an app as the README shows it', () => {
  let folder: ConsumerFolder

  beforeAll(async () => {
    folder = await consumerFolder('koa', 'koa-comet')
  })

  afterAll(async () => {
    await folder.remove()
  })

  test('takes CometChannel in Node', async () => {
    const app = replaced(block('server'), 'const server = app.listen(3000)\n', '')
    await folder.write('app.js', `${app}export { app, channel, clock }\n`)
    await folder.write('app.test.js', block('testing'))
    const { NODE_OPTIONS: _ours, ...env } = process.env
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--test', '--test-reporter=tap', 'app.test.js'],
      { cwd: folder.path, env },
    )
    expect(stdout).toContain('ok 1 - a page is told the time')
    expect(stdout).toContain('# pass 1\n')
  })
})
