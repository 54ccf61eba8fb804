const SLICES = 20

/** Whether the message with this number is for all clients; the others are for one in twenty. */
export function isForAll(number: number): boolean {
  return number % SLICES === 0
}

/** Whether the message with this number is for the client at this index. */
export function isFor(index: number, number: number): boolean {
  return isForAll(number) || index % SLICES === number % SLICES
}
