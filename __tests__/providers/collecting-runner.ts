import { type ContractOptions, describeCometStateProvider } from 'koa-comet/providers/contract'

/** Runs the suite without a test runner, and answers with the sentences of the rules that failed, with their errors. */
export async function failuresOf(
  options: Pick<ContractOptions, 'create' | 'modelCheck' | 'settleSeconds'>,
): Promise<Map<string, Error>> {
  const tests = new Map<string, () => Promise<void>>()
  describeCometStateProvider('a provider', {
    ...options,
    describe: (_, body) => body(),
    test: (sentence, body) => tests.set(sentence, body),
  })
  const failures = new Map<string, Error>()
  for (const [sentence, body] of tests) {
    await body().catch((error: Error) => failures.set(sentence, error))
  }
  return failures
}
