import type { OpenNode, ProviderNodes } from './provider-nodes.ts'

/** What a rule's test is handed. */
export interface RuleSetting {
  /** Opens a node over a store that this test has for itself; it is closed when the test ends. */
  readonly open: OpenNode
  /** Lets seconds go by on the store's clock. */
  readonly pass: ProviderNodes['pass']
}

/** Registers the test of one rule, by the sentence that says it. */
export type Rule = (sentence: string, body: (setting: RuleSetting) => Promise<void>) => void
