const swc = [
  '@swc/jest',
  { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'es6' } },
]

export default {
  testMatch: ['<rootDir>/__tests__/**/*.test.ts'],
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': swc },
  moduleNameMapper: {
    '^koa-comet$': '<rootDir>/lib/index.ts',
    '^koa-comet/client$': '<rootDir>/client/index.ts',
    '^koa-comet/providers/in-proc$': '<rootDir>/providers/in-proc/index.ts',
    '^koa-comet/providers/sqlite$': '<rootDir>/providers/sqlite/index.ts',
    '^koa-comet/providers/redis$': '<rootDir>/providers/redis/index.ts',
    '^koa-comet/providers/contract$': '<rootDir>/providers/contract/index.ts',
  },
  // Not in the temp folder: the suite leaves nothing there.
  cacheDirectory: '<rootDir>/node_modules/.cache/jest',
  // More than the two processors it is meant for: much of the suite waits.
  maxWorkers: 4,
  // One that has grown large may take longer to exit than jest waits for it.
  workerIdleMemoryLimit: '400MB',
  testTimeout: 60_000,
}
