import { checkFields, type Fields } from './fields.ts'
import { PLACES } from './gaps.ts'
import type { ModelCheckOptions } from './model-check.ts'
import type { ProviderStorage } from './provider-storage.ts'

const OPTIONS: Fields = {
  create: 'function',
  describe: 'function',
  test: 'function',
  without: 'array?',
  settleSeconds: 'number?',
  modelCheck: 'object?',
}
const MODEL_CHECK: Fields = { seed: 'number?', steps: 'number?', onPass: 'function?' }
const STORAGE: Fields = {
  createProvider: 'function',
  advance: 'function?',
  faults: 'object?',
  dispose: 'function',
}
const FAULTS: Fields = { crash: 'function?', interruptions: 'array?' }
const INTERRUPTION: Fields = { name: 'string', cutsOff: 'boolean', begin: 'function', end: 'function' }

/** What would not be missed if it stood at the wrong place. */
const OPTIONAL = [OPTIONS, STORAGE, FAULTS].flatMap((fields) => {
  return Object.keys(fields).filter((name) => fields[name]!.endsWith('?'))
})

/** Throws a TypeError for what `describeCometStateProvider` cannot be given. */
export function checkOptions(options: {
  readonly without?: readonly string[]
  readonly settleSeconds?: number
  readonly modelCheck?: ModelCheckOptions
}): void {
  checkFields('what describeCometStateProvider is given', options, OPTIONS, OPTIONAL)
  const { without = [], settleSeconds = 1, modelCheck = {} } = options
  checkFields('modelCheck', modelCheck, MODEL_CHECK, OPTIONAL)
  const { steps = 1, seed = 0 } = modelCheck
  if (!Number.isSafeInteger(steps) || steps < 1)
    throw new TypeError(`'steps' of modelCheck must be a whole number above 0, not ${steps}.`)
  if (!Number.isSafeInteger(seed))
    throw new TypeError(`'seed' of modelCheck must be a whole number, not ${seed}.`)
  if (!(settleSeconds > 0)) throw new TypeError(`settleSeconds must be above 0, not ${settleSeconds}.`)
  for (const gap of without) {
    if (Object.hasOwn(PLACES, gap)) continue
    throw new TypeError(`without can name ${Object.keys(PLACES).join(', ')}, not '${gap}'.`)
  }
}

/** Throws a TypeError for what `create()` cannot give. */
export function checkStorage(storage: ProviderStorage): void {
  checkFields('what create() gives', storage, STORAGE, OPTIONAL)
  const { faults = {} } = storage
  checkFields('faults', faults, FAULTS, OPTIONAL)
  const { interruptions = [] } = faults
  for (const interruption of interruptions) {
    checkFields('one of interruptions', interruption, INTERRUPTION, OPTIONAL)
  }
}
