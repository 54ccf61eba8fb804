import Database from 'better-sqlite3'

type Methods = Record<string, (...parameters: unknown[]) => unknown>

/** Counts what this process asks of SQLite from now on, by any connection. Returns how much it was so far. */
export function countStatements(): () => number {
  const connection = new Database(':memory:')
  const statement = Object.getPrototypeOf(connection.prepare('SELECT 1')) as Methods
  connection.close()
  let count = 0
  const counted = (methods: Methods, name: string): void => {
    const original = methods[name]!
    methods[name] = function (this: unknown, ...parameters) {
      count += 1
      return original.apply(this, parameters)
    }
  }
  for (const name of ['run', 'get', 'all', 'iterate']) counted(statement, name)
  for (const name of ['exec', 'pragma']) counted(Database.prototype as unknown as Methods, name)
  return () => count
}
