const ANIMALS = ['Otter', 'Heron', 'Lynx', 'Newt', 'Raven', 'Hare', 'Stork', 'Marten', 'Trout', 'Wren']

let given = 0

/** A name for a guest. No two are the same: Otter, Heron, …, Otter 2, Heron 2, … */
export function newName(): string {
  const animal = ANIMALS[given % ANIMALS.length]!
  const turn = Math.floor(given / ANIMALS.length)
  given += 1
  return turn === 0 ? animal : `${animal} ${turn + 1}`
}
