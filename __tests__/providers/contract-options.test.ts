import { describe, expect, test } from '@jest/globals'
import {
  type ContractOptions,
  describeCometStateProvider,
  type ProviderStorage,
} from 'koa-comet/providers/contract'
import { createStorage, WITHOUT } from './broken-providers.ts'
import { failuresOf, titlesOf } from './collecting-runner.ts'
import { createDurableStorage } from './durable-store.ts'

/** What somebody may write who is helped by no compiler. */
function register(more: object): void {
  describeCometStateProvider('a provider', {
    create: () => createStorage(),
    describe: () => undefined,
    test: () => undefined,
    ...more,
  })
}

/** What the first rule fails with if `create()` gives this. */
async function failureWith(storage: object, options: Partial<ContractOptions> = {}): Promise<string> {
  const create = () => storage as ProviderStorage
  const failures = await failuresOf({ create, modelCheck: { steps: 1 }, ...options }, 1)
  return [...failures.values()][0]?.message ?? 'nothing'
}

const ALL_OPTIONS = 'What it can have: create, describe, test, without, settleSeconds, modelCheck.'
const ALL_OF_A_STORAGE = 'What it can have: createProvider, advance, faults, dispose.'

describe('The options of the contract suite', () => {
  test.each([
    [{ faults: {} }, `cannot have 'faults'. ${ALL_OPTIONS}`],
    [{ settleSecond: 1 }, `cannot have 'settleSecond'. ${ALL_OPTIONS}`],
    [{ steps: 100 }, `cannot have 'steps'. ${ALL_OPTIONS}`],
    [{ modelCheck: { step: 100 } }, "modelCheck cannot have 'step'. What it can have: seed, steps, onPass."],
    [{ modelCheck: null }, 'modelCheck'],
    [{ modelCheck: { steps: '100' } }, "'steps' of modelCheck must be of type number, not string."],
    [{ modelCheck: { steps: 0 } }, "'steps' of modelCheck must be a whole number above 0, not 0."],
    [{ modelCheck: { steps: 2.5 } }, "'steps' of modelCheck must be a whole number above 0, not 2.5."],
    [{ modelCheck: { seed: 2.5 } }, "'seed' of modelCheck must be a whole number, not 2.5."],
    [{ settleSeconds: 0 }, 'settleSeconds must be above 0, not 0.'],
    [{ create: undefined }, "'create' of what describeCometStateProvider is given must be of type function"],
    [{ without: ['clock'] }, "without can name advance, crash, interruptions, not 'clock'."],
    [
      { without: 'crash' },
      "'without' of what describeCometStateProvider is given must be of type array, not string.",
    ],
  ])('are refused when they are %j', (more, message) => {
    expect(() => register(more)).toThrow(TypeError)
    expect(() => register(more)).toThrow(message)
  })

  test('may be undefined, which stands for the default', () => {
    register({ settleSeconds: undefined, without: undefined, modelCheck: { seed: undefined } })
  })

  test.each([
    [{ modelCheck: {} }, `what create() gives cannot have 'modelCheck'. ${ALL_OF_A_STORAGE}`],
    [{ crash() {} }, `what create() gives cannot have 'crash'. ${ALL_OF_A_STORAGE}`],
    [{ fault: {} }, `what create() gives cannot have 'fault'. ${ALL_OF_A_STORAGE}`],
    [{ dispose: undefined }, "'dispose' of what create() gives must be of type function, not undefined."],
    [{ faults: { crashes() {} } }, "faults cannot have 'crashes'. What it can have: crash, interruptions."],
    [{ faults: { interruptions: {} } }, "'interruptions' of faults must be of type array, not object."],
    [
      { faults: { interruptions: [{ name: 'no room', cutOff: true, begin() {}, end() {} }] } },
      "one of interruptions cannot have 'cutOff'. What it can have: name, cutsOff, begin, end.",
    ],
  ])('What create() gives is refused with %j', async (more, message) => {
    expect(await failureWith({ ...createStorage(), ...more })).toBe(message)
  })

  test('What create() gives may be an instance of a class with more, but with nothing misplaced', async () => {
    class Storage {
      readonly folder = '/somewhere'
      readonly #inner = createStorage()
      createProvider = () => this.#inner.createProvider()
      dispose() {}
      list() {}
    }
    expect(await failureWith(new Storage())).toBe('nothing')
    class Misplaced extends Storage {
      settleSeconds = 1
    }
    expect(await failureWith(new Misplaced())).toMatch("cannot have 'settleSeconds'")
    class Misspelt extends Storage {
      Fault() {}
    }
    expect(await failureWith(new Misspelt())).toMatch("cannot have 'Fault'")
  })
})

describe('What create() does not give', () => {
  test('is said by the titles of the tests that need it', () => {
    const titles = titlesOf({ create: () => createStorage(), without: ['advance', ...WITHOUT] })
    const untested = titles.filter((title) => title.includes('not tested'))
    expect(untested).toContain(
      'What was answered before a crash is there after it (not tested: create() gives no faults.crash)',
    )
    expect(untested).toContain(
      'While the store fails every call ends, and so does close (not tested: create() gives no faults.interruptions)',
    )
    expect(untested).toHaveLength(8 + 7)
    expect(titles).toContain(
      'random histories agree with the model (in which no time passes, no process dies, the store never fails)',
    )
  })

  test('must not be given all the same', async () => {
    const failures = await failuresOf({
      create: () => createDurableStorage(),
      without: ['crash'],
      modelCheck: { steps: 100 },
    })
    const messages = new Set([...failures.values()].map(({ message }) => message))
    expect([...messages]).toEqual(["create() gives faults.crash: leave 'crash' out of the option without."])
    expect(failures.size).toBe(9)
  })

  test('is warned of if nobody said it', async () => {
    const warnings: string[] = []
    const { emitWarning } = process
    process.emitWarning = (warning) => void warnings.push(String(warning))
    try {
      await failuresOf({ create: () => createStorage(), without: ['crash'], modelCheck: { steps: 100 } })
    } finally {
      process.emitWarning = emitWarning
    }
    expect(warnings).toEqual([
      expect.stringMatching(/^a provider was not tested for all rules: .* no faults\.interruptions\. .*/),
    ])
  })
})
