export type { RedisClient, RedisClientSource } from './connection.ts'
export type { RedisCometStateProviderOptions } from './options.ts'
export { RedisCometStateProvider } from './redis-comet-state-provider.ts'
export type { RedisServerReport } from './server-report.ts'
