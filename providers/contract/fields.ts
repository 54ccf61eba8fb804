/** The fields of an object by name, and the type of each. One with `?` may be left out. */
export type Fields = Readonly<
  Record<string, `${'function' | 'object' | 'array' | 'number' | 'string' | 'boolean'}${'' | '?'}`>
>

/**
 * Throws a TypeError unless the value is an object with these fields. Of an object literal every other field is
 * refused too. An instance of a class may have more; but nothing that could be meant for an option: so it is refused
 * what bears the name of one of `options`, in other letters or another number.
 */
export function checkFields(what: string, value: unknown, fields: Fields, options: readonly string[]): void {
  if (typeof value !== 'object' || value === null)
    throw new TypeError(`${what} must be an object, not ${value}.`)
  const unknown = namesOf(value).find((name) => {
    if (Object.hasOwn(fields, name)) return false
    return isLiteral(value) || options.some((option) => resembles(name, option))
  })
  if (unknown !== undefined) {
    const known = Object.keys(fields).join(', ')
    throw new TypeError(`${what} cannot have '${unknown}'. What it can have: ${known}.`)
  }
  for (const [name, type] of Object.entries(fields)) {
    const found = typeOf(Reflect.get(value, name))
    const isAbsent = found === 'undefined' && type.endsWith('?')
    const expected = type.replace('?', '')
    if (isAbsent || found === expected) continue
    throw new TypeError(`'${name}' of ${what} must be of type ${expected}, not ${found}.`)
  }
}

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}

function isLiteral(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** Those of its class, too. */
function namesOf(value: object): string[] {
  const names: string[] = []
  for (let each = value; Object.getPrototypeOf(each) !== null; each = Object.getPrototypeOf(each)) {
    names.push(...Object.getOwnPropertyNames(each))
  }
  return names
}

function resembles(name: string, option: string): boolean {
  const [one, other] = [name, option].map((text) => text.toLowerCase().replace(/s$/, ''))
  return one === other
}
