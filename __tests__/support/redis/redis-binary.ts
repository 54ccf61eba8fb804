import { spawnSync } from 'node:child_process'

/** Another one, of Valkey for example, by its path. */
export const REDIS_SERVER = process.env.REDIS_SERVER_PATH ?? 'redis-server'

export const isRedisThere = spawnSync(REDIS_SERVER, ['--version']).error === undefined

export const redisRemedy = `No ${REDIS_SERVER}: apt-get install redis-server, or set REDIS_SERVER_PATH.`
