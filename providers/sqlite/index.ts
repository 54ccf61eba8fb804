export type { SqliteCometStateProviderOptions } from './options.ts'
export { SqliteCometStateProvider } from './sqlite-comet-state-provider.ts'
