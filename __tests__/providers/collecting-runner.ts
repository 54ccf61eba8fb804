import { type ContractOptions, describeCometStateProvider } from 'koa-comet/providers/contract'

export type SuiteOptions = Omit<ContractOptions, 'describe' | 'test'>

/**
 * Runs the suite without a test runner, and answers with the titles of the tests that failed, with their errors.
 *
 * @param count how many of the tests are run. Default: all
 */
export async function failuresOf(
  options: SuiteOptions,
  count = Number.POSITIVE_INFINITY,
): Promise<Map<string, Error>> {
  const failures = new Map<string, Error>()
  for (const [title, body] of [...testsOf(options)].slice(0, count)) {
    await body().catch((error: Error) => failures.set(title, error))
  }
  return failures
}

/** Runs one test of the suite, and answers with what it failed with, if it did. Rejects if there is none of that title. */
export async function failureOf(options: SuiteOptions, title: string): Promise<Error | undefined> {
  const body = testsOf(options).get(title)
  if (body === undefined) throw new Error(`The suite has no test '${title}'.`)
  return body().then(
    () => undefined,
    (error: Error) => error,
  )
}

export function titlesOf(options: SuiteOptions): string[] {
  return [...testsOf(options).keys()]
}

function testsOf(options: SuiteOptions): Map<string, () => Promise<void>> {
  const tests = new Map<string, () => Promise<void>>()
  describeCometStateProvider('a provider', {
    ...options,
    describe: (_, body) => body(),
    test: (title, body) => tests.set(title, body),
  })
  return tests
}
