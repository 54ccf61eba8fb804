import { LONG_SECONDS } from './operations.ts'

/** Few of each, so that histories meet them again and again. */
export const CLIENTS = ['ann', 'bob', 'eve', 'joe']
export const GROUPS = ['room', 'Room']
export const USERS = ['user-1', 'user-2']
export const SESSIONS = ['room', 'session-2']
export const PRIVATE_TOKENS = 'abcdefghijklmnopqrst'.split('')
export const KEYS = ['key-1', 'key-2', 'key-3']
export const PAGES = ['page-1', 'page-2']

/** Below what the others would allow, so that each limit is met. */
export const MAX_CLIENTS = 3
export const MAX_CLIENTS_PER_USER = 2
export const MAX_GROUPS = 1

/** Never whole, as the time that passes is: no lease ends at the very moment of a sweep. */
export const LEASE_SECONDS = [2.5, 6.5, LONG_SECONDS]
export const RUN_SECONDS = [1.5, LONG_SECONDS]
