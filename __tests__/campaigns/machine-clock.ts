/** Milliseconds by the machine's monotonic clock: of two processes they can be compared. */
export function machineMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
