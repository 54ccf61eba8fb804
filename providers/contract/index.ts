export { type ContractOptions, describeCometStateProvider } from './describe-comet-state-provider.ts'
export type { Gap } from './gaps.ts'
export type { ModelCheckOptions, ModelCheckReport } from './model-check.ts'
export type { Interruption, ProviderFaults, ProviderStorage } from './provider-storage.ts'
