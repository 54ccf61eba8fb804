/** Nothing invisible, so that no two names look alike. */
const NAME = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]{1,24}$/u

/** Whether it can be the name of a person or a room. */
export function isName(text: string): boolean {
  return NAME.test(text)
}

/** By what a name is known, however it is written: the public token of a person, the group of a room. */
export function canonical(name: string): string {
  return name.normalize('NFC').trim().toLowerCase()
}
