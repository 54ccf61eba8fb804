import type { ProviderNodes } from './provider-nodes.ts'

/** Registers the test of one rule, by the sentence that says it. Its body has the store of `nodes` for itself. */
export type Rule = (sentence: string, body: (nodes: ProviderNodes) => Promise<void>) => void
