export {
  InProcCometStateProvider,
  type InProcCometStateProviderOptions,
} from './in-proc-comet-state-provider.ts'
export { InProcStorage } from './in-proc-storage.ts'
