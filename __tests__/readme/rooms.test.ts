import { afterEach, expect, test } from '@jest/globals'
import { CometRefusal, CometStateManager } from 'koa-comet'
import { CometChannel } from 'koa-comet/client'
import { InProcCometStateProvider } from 'koa-comet/providers/in-proc'
import { eventually } from '../support/eventually.ts'
import { type Served, serve } from '../support/serve.ts'
import { block, replaced } from './blocks.ts'

type Code = (...things: unknown[]) => Promise<unknown>

/** Makes a function of a block's code, which finds these names. */
const codeOf = (names: readonly string[], code: string): Code =>
  new (Object.getPrototypeOf(async () => {}).constructor)(...names, code) as Code

const ends: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function serveBlock(): Promise<{ channel: CometStateManager; served: Served }> {
  const names = ['CometStateManager', 'InProcCometStateProvider', 'CometRefusal']
  const run = codeOf(names, `${block('rooms')}\nreturn channel`)
  const channel = (await run(CometStateManager, InProcCometStateProvider, CometRefusal)) as CometStateManager
  ends.push(() => channel.close({ overSeconds: 0 }))
  const served = await serve(channel.mount('/comet'))
  ends.push(() => served.close())
  return { channel, served }
}

/** Opens a page whose code is that of the README. Resolves when it has entered the room and spoken. */
async function openPage({ origin }: Served): Promise<{ page: CometChannel; shown: string[] }> {
  const shown: string[] = []
  const code = replaced(block('rooms-page'), "'/comet'", `'${origin}/comet'`)
  const run = codeOf(['CometChannel', 'show'], `${code}\nreturn channel`)
  const page = (await run(CometChannel, (line: string) => shown.push(line))) as CometChannel
  ends.push(() => page.leave())
  return { page, shown }
}

test('The rooms of the README: pages enter one, speak, and see who comes in', async () => {
  const { served } = await serveBlock()
  const first = await openPage(served)
  const second = await openPage(served)
  await eventually(() => first.shown.length === 3 && second.shown.length === 1)
  const [name, other] = [first.page.displayName, second.page.displayName]
  expect(first.shown).toEqual([`${name}: hello`, `${other} came in`, `${other}: hello`])
  expect(second.shown).toEqual([`${other}: hello`])
})

test('Who is in no room is refused, and none but those that begin so can be entered', async () => {
  const { served } = await serveBlock()
  const { page } = await openPage(served)
  await expect(page.send('Say', { room: 'room-2', text: 'x' })).rejects.toMatchObject({
    code: 'NOT_IN_THE_ROOM',
    message: 'Enter it first.',
  })
  await expect(page.joinGroup('cellar')).rejects.toMatchObject({ code: 'COMET_GROUP_IS_REFUSED' })
})

test('Entering as the reference shows it: what was said before, and what is said, each once and in order, also after a reset', async () => {
  const { channel, served } = await serveBlock()
  await codeOf(['channel'], block('entering'))(channel)
  await channel.open()
  const say = (text: string) => channel.sendMessage('Said', text, { group: 'room-1' })
  for (const text of ['one', 'two']) await say(text)
  const page = new CometChannel(`${served.origin}/comet`)
  ends.push(() => page.leave())
  const shown: unknown[] = []
  await codeOf(['channel', 'show'], block('entering-page'))(page, (contents: unknown) => shown.push(contents))
  await eventually(() => shown.length === 2)
  await say('three')
  await eventually(() => shown.length === 3)
  expect(shown).toEqual(['one', 'two', 'three'])
  await channel.killIdleCometClient(page.privateToken!)
  await eventually(() => shown.length === 6)
  await say('four')
  await eventually(() => shown.length === 7)
  expect(shown).toEqual(['one', 'two', 'three', 'one', 'two', 'three', 'four'])
})
