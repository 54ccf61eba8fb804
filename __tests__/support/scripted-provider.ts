import type { ICometStateProvider, Operation, Outcome } from '../../lib/comet-state-provider.ts'

/** A provider of which only `append` is used: it writes down each batch and answers as the script says. */
export function appendingProvider(
  append: (batch: readonly Operation[], call: number) => Promise<Outcome[]>,
  maxBatchBytes?: number,
): { readonly provider: ICometStateProvider; readonly batches: (readonly Operation[])[] } {
  const batches: (readonly Operation[])[] = []
  const supports = {
    processes: 'one' as const,
    durable: false,
    followDelayMs: 0,
    ...(maxBatchBytes !== undefined && { maxBatchBytes }),
  }
  const provider = {
    supports,
    append(batch: readonly Operation[]) {
      batches.push(batch)
      return append(batch, batches.length)
    },
  }
  return { provider: provider as unknown as ICometStateProvider, batches }
}

let lastId = 0

/** One id for each operation, rising over all calls. */
export async function idsFor(batch: readonly Operation[]): Promise<Outcome[]> {
  return batch.map(() => {
    lastId += 1
    return { epoch: 'e1', id: lastId }
  })
}
