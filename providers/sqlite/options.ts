/** What a {@link SqliteCometStateProvider} can be told. `undefined` stands for the default. */
export interface SqliteCometStateProviderOptions {
  /**
   * `'full'` (default): what was acknowledged survives a power cut. `'normal'`: a power cut can take the last of it. A
   * process that is killed takes nothing; but when the last one did not end cleanly, nobody can tell it from a power
   * cut: the channel begins a new epoch, and pages are told `reset`. About seven times as many commits in a second.
   */
  readonly durability?: Durability | undefined
  /** How often it looks for what others have written to the file, in milliseconds. Default 20. */
  readonly followMs?: number | undefined
  /** How long a call waits for the write lock of another connection before it is refused. Default 5. */
  readonly lockTimeoutSeconds?: number | undefined
  /**
   * `'one'` promises that no other process writes to the file: only then is an SQLite older than 3.51.3 accepted,
   * which can corrupt a file that two write to. Default `'many'`.
   */
  readonly processes?: 'one' | 'many' | undefined
  /** Milliseconds since 1970; a test can give its own clock. Default `Date.now`. */
  readonly now?: (() => number) | undefined
}

export type Durability = 'full' | 'normal'

/** Every option with its default. */
export const DEFAULTS = {
  durability: 'full',
  followMs: 20,
  lockTimeoutSeconds: 5,
  processes: 'many',
  now: Date.now,
} as const satisfies Required<SqliteCometStateProviderOptions>

export type CompleteOptions = {
  readonly [K in keyof SqliteCometStateProviderOptions]-?: Exclude<
    SqliteCometStateProviderOptions[K],
    undefined
  >
}

/** Throws a TypeError for an option that is unknown or has a value that cannot be. */
export function completeOptions(options: SqliteCometStateProviderOptions): CompleteOptions {
  check(typeof options === 'object' && options !== null, 'The options', 'an object', options)
  for (const key of Object.keys(options)) {
    if (!Object.hasOwn(DEFAULTS, key)) {
      throw new TypeError(`Unknown option '${key}'. The options are: ${Object.keys(DEFAULTS).join(', ')}.`)
    }
  }
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  const complete: CompleteOptions = { ...DEFAULTS, ...given }
  const { durability, followMs, lockTimeoutSeconds, processes, now } = complete
  check(durability === 'full' || durability === 'normal', 'durability', "'full' or 'normal'", durability)
  const isPeriod = typeof followMs === 'number' && followMs >= 1 && followMs <= 60_000
  check(isPeriod, 'followMs', 'a number from 1 to 60,000', followMs)
  const isTime = typeof lockTimeoutSeconds === 'number' && lockTimeoutSeconds > 0 && lockTimeoutSeconds <= 600
  check(isTime, 'lockTimeoutSeconds', 'a number above 0, at most 600', lockTimeoutSeconds)
  check(processes === 'one' || processes === 'many', 'processes', "'one' or 'many'", processes)
  check(typeof now === 'function', 'now', 'a function', now)
  // The file keeps whole milliseconds only.
  return { ...complete, now: () => Math.floor(now()) }
}

/** Throws a TypeError for a name that is no file's. */
export function checkFileName(fileName: unknown): void {
  const isPath =
    typeof fileName === 'string' &&
    fileName !== '' &&
    !fileName.startsWith(':') &&
    !fileName.startsWith('file:')
  check(isPath, 'fileName', 'the path of a file', fileName)
  // better-sqlite3 would open another file than the one that was asked for.
  check(fileName === (fileName as string).trim(), 'fileName', 'a path without space around it', fileName)
}

function check(holds: boolean, name: string, expected: string, got: unknown): void {
  if (!holds) throw new TypeError(`${name} must be ${expected}, not ${JSON.stringify(got) ?? typeof got}.`)
}
