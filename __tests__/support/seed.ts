/** The seed of a randomised test, printed so that a failure can be seen again with `SEED=…`. */
export function printedSeed(test: string): number {
  const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31)
  process.stdout.write(`${test}: seed ${seed}\n`)
  return seed
}
