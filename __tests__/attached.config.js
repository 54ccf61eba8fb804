import config from '../jest.config.js'

/** What pages see of a channel, once more with each channel attached: its subscribers go past Koa. */
export default {
  ...config,
  rootDir: '..',
  testMatch: ['<rootDir>/__tests__/{promises,transports,handlers,lib}/**/*.test.ts'],
  // It has a server of its own.
  testPathIgnorePatterns: ['/lib/stalled-process'],
  globals: { attachSites: true },
}
